import { z } from 'zod'
import {
  landingPredicateSchema,
  objectSchemas,
  predicateTypes,
  signOffPredicateSchema,
  statementType,
  testResultPredicateSchema,
  verdictPredicateSchema,
  type LandingPredicate,
  type SignOffPredicate,
  type TestResultPredicate,
  type VerdictPredicate,
} from '../domain/evidence.ts'
import type { TreeSha } from '../domain/ids.ts'
import { canonicalJson } from '../domain/json.ts'
import { paths } from '../domain/settings.ts'
import { parseSpelled } from './dsse.ts'

/**
 * in-toto Statements, written as canonical JSON and read only in that spelling. Subjects are git objects: `gitTree`
 * for evidence, `gitCommit` for a landing, both for a sign-off. The commit's tree and the subject are checked against
 * the predicate here, so that a reader of the predicate alone is not misled.
 */
const { commit, tree } = objectSchemas
const treeSubject = z.strictObject({ name: z.literal('tree'), digest: z.strictObject({ gitTree: tree }) })
const commitSubject = z.strictObject({ name: z.literal('commit'), digest: z.strictObject({ gitCommit: commit }) })
const _type = z.literal(statementType)

const evidenceStatementSchema = z.discriminatedUnion('predicateType', [
  z.strictObject({
    _type,
    subject: z.tuple([treeSubject]),
    predicateType: z.literal(predicateTypes.verdict),
    predicate: verdictPredicateSchema,
  }),
  z.strictObject({
    _type,
    subject: z.tuple([treeSubject]),
    predicateType: z.literal(predicateTypes.testResult),
    predicate: testResultPredicateSchema,
  }),
])
const signOffStatementSchema = z.strictObject({
  _type,
  subject: z.tuple([commitSubject, treeSubject]),
  predicateType: z.literal(predicateTypes.signOff),
  predicate: signOffPredicateSchema,
})
const landingStatementSchema = z.strictObject({
  _type,
  subject: z.tuple([commitSubject]),
  predicateType: z.literal(predicateTypes.landing),
  predicate: landingPredicateSchema,
})

const aboutCommit = (sha: string) => ({ name: 'commit', digest: { gitCommit: sha } })
const aboutTree = (sha: string) => ({ name: 'tree', digest: { gitTree: sha } })

/** What a gate said about a tree. One that counts tests (`measures.tests`) speaks the standard test-result predicate. */
export function evidenceStatement(subject: TreeSha, predicate: VerdictPredicate): string {
  const standard = asTestResult(predicate)
  return canonicalJson({
    _type: statementType,
    subject: [aboutTree(subject)],
    predicateType: standard === undefined ? predicateTypes.verdict : predicateTypes.testResult,
    predicate: standard ?? predicate,
  })
}

function asTestResult(predicate: VerdictPredicate): TestResultPredicate | undefined {
  const { verdict } = predicate.result
  if (verdict.kind !== 'passed' && verdict.kind !== 'failed') return undefined
  if (verdict.measures['tests'] === undefined) return undefined
  return {
    result: verdict.kind === 'passed' ? 'PASSED' : 'FAILED',
    configuration: [
      {
        name: `${paths.settings}#gates.${predicate.gate}`,
        digest: { sha256: predicate.settings.slice('sha256:'.length) },
      },
    ],
    gaffer: predicate,
  }
}

/** The exact text an owner signs. */
export const signOffStatement = (predicate: SignOffPredicate): string =>
  canonicalJson({
    _type: statementType,
    subject: [aboutCommit(predicate.candidate), aboutTree(predicate.tree)],
    predicateType: predicateTypes.signOff,
    predicate,
  })

export const landingStatement = (predicate: LandingPredicate): string =>
  canonicalJson({
    _type: statementType,
    subject: [aboutCommit(predicate.commit)],
    predicateType: predicateTypes.landing,
    predicate,
  })

type EvidenceStatement = z.infer<typeof evidenceStatementSchema>
const verdictIn = (statement: EvidenceStatement): VerdictPredicate =>
  statement.predicateType === predicateTypes.testResult ? statement.predicate.gaffer : statement.predicate
const treeIn = ({ subject }: EvidenceStatement): TreeSha => subject[0].digest.gitTree

/** A verdict and the tree it is about; undefined for anything that `evidenceStatement` would not have written. */
export function readEvidence(
  text: string,
): { readonly tree: TreeSha; readonly predicate: VerdictPredicate } | undefined {
  const spell = (statement: EvidenceStatement): string => evidenceStatement(treeIn(statement), verdictIn(statement))
  const statement = parseSpelled(text, evidenceStatementSchema, spell)
  return statement === undefined ? undefined : { tree: treeIn(statement), predicate: verdictIn(statement) }
}

/** undefined for anything that `signOffStatement` would not have written. */
export const readSignOff = (text: string): SignOffPredicate | undefined =>
  parseSpelled(text, signOffStatementSchema, ({ predicate }) => signOffStatement(predicate))?.predicate

/** undefined for anything that `landingStatement` would not have written. */
export const readLanding = (text: string): LandingPredicate | undefined =>
  parseSpelled(text, landingStatementSchema, ({ predicate }) => landingStatement(predicate))?.predicate
