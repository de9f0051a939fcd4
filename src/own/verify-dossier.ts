import { z } from 'zod'
import { briefSchema, type Brief } from '../domain/brief.ts'
import type { EvidenceList, LandingPredicate, SignOffPredicate } from '../domain/evidence.ts'
import type { CommitSha, TreeSha } from '../domain/ids.ts'
import { digestOf } from '../domain/json.ts'
import { digestOfGateSettings, type RequiredGate } from '../domain/required-gates.ts'
import type { CommitInfo } from '../ports/repository.ts'
import { trailer, trailerNames } from './commit-message.ts'
import { openEnvelope, strictUtf8, type EvidenceKeys } from './dsse.ts'
import { dossierOf } from './evidence-layout.ts'
import type { ProtectedBase } from './protected-base.ts'
import { readEvidence, readSignOff } from './statements.ts'

/** A commit, what its first parent trusts and asks for, and a landing statement signed by a key trusted there. */
export interface Claim {
  readonly commit: CommitInfo
  readonly base: ProtectedBase
  readonly landing: LandingPredicate
}

export type CheckedDossier =
  | {
      readonly kind: 'fits'
      readonly signOff: SignOffPredicate
      readonly statement: string
      /** Whose it is, is still to be found out. */
      readonly armoured: string
      readonly title: string
      readonly type: Brief['type']
    }
  | { readonly kind: 'contradiction'; readonly why: string }

type Files = ReadonlyMap<string, Uint8Array>

/** What has to be read from the evidence to check a claim. */
export function pathsOf({ landing }: Claim): readonly string[] {
  const dossier = dossierOf(landing.task, landing.candidate)
  const { brief, text, signOff, signature } = dossier
  return [
    brief,
    text,
    signOff,
    signature,
    ...landing.evidence.map(({ gate, digest }) => dossier.evidence(gate, digest)),
  ]
}

/** Everything about a landing that can be decided from what was read. Pure. */
export function checkDossier(claim: Claim, files: Files): CheckedDossier {
  const { commit, landing, base } = claim
  const paths = dossierOf(landing.task, landing.candidate)
  const kept = (path: string, digest: string): string | undefined => keptText(files.get(path), digest)

  if (landing.tree !== commit.tree) return no('its landing statement is about another tree')
  if (landing.base !== commit.parents[0]) return no('its landing statement is about another parent')
  const statement = kept(paths.signOff, landing.signOff)
  if (statement === undefined) return no('what its owner signed is missing or was edited')
  const armoured = kept(paths.signature, landing.signature)
  if (armoured === undefined) return no("its owner's signature is missing or was edited")
  if (kept(paths.text, landing.text) === undefined) return no('its pull-request text is missing or was edited')

  const signOff = readSignOff(statement)
  if (signOff === undefined) return no('what its owner signed cannot be read')
  if (signOff.task !== landing.task) return no(`the signature is for another task, ${signOff.task}`)
  if (signOff.owner !== landing.owner) return no(`the signature is for another owner, ${signOff.owner}`)
  if (signOff.candidate !== landing.candidate) return no('the signature is for another candidate')

  const brief = readBrief(kept(paths.brief, signOff.brief))
  if (brief === undefined) return no('its brief is missing or was edited')
  if (brief.owner !== landing.owner) return no(`it was signed by ${landing.owner}, and its owner is ${brief.owner}`)
  if (brief.title !== signOff.title) return no('what its owner signed has another title than its brief')

  const why = wrongTrailer(claim, signOff) ?? (landing.merge === null ? wrongCandidate(claim, signOff) : undefined)
  if (why !== undefined) return no(why)
  const about = { task: landing.task, candidate: landing.candidate, tree: landing.tree, base: landing.base }
  const lacking = checkEvidence({ ...about, list: landing.evidence, required: base.required, keys: base.keys }, files)
  if (lacking !== undefined) return no(lacking)
  return { kind: 'fits', signOff, statement, armoured, title: brief.title, type: brief.type }
}

/** Only what is compared: its digest says that the rest is what was signed, and briefs gain members over the years. */
const signedBriefSchema = z.looseObject(briefSchema.pick({ owner: true, title: true, type: true }).shape)

function readBrief(text: string | undefined): z.infer<typeof signedBriefSchema> | undefined {
  if (text === undefined) return undefined
  try {
    return signedBriefSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function wrongTrailer({ commit, landing }: Claim, signOff: SignOffPredicate): string | undefined {
  const expected = { task: landing.task, owner: landing.owner, brief: signOff.brief }
  for (const [name, value] of Object.entries(expected)) {
    const given = trailer(commit.message, trailerNames[name as keyof typeof expected])
    if (given.length !== 1 || given[0] !== value) return `its message names another ${name} than its landing statement`
  }
  return undefined
}

/** Main had not moved: the commit is the candidate, to the byte. */
function wrongCandidate({ commit, landing, base }: Claim, signOff: SignOffPredicate): string | undefined {
  if (signOff.candidate !== commit.sha) return 'its owner signed another commit'
  if (signOff.tree !== commit.tree) return 'its owner signed another tree'
  if (signOff.base !== landing.base) return 'its owner signed it on another parent'
  if (signOff.policy !== base.policy) return 'its owner signed it under other settings'
  if (!sameList(signOff.evidence, landing.evidence)) return 'its owner signed other evidence'
  return undefined
}

const sameList = (a: EvidenceList, b: EvidenceList): boolean =>
  a.length === b.length && a.every(({ gate, digest }, index) => b[index]?.gate === gate && b[index].digest === digest)

export interface EvidenceQuestion {
  readonly task: SignOffPredicate['task']
  readonly candidate: CommitSha
  readonly tree: TreeSha
  readonly base: CommitSha
  readonly list: EvidenceList
  readonly required: readonly RequiredGate[]
  readonly keys: EvidenceKeys
}

/** Whether every required gate let exactly this tree through on this base, under the protected settings. Pure. */
export function checkEvidence(question: EvidenceQuestion, files: Files): string | undefined {
  const { list, required } = question
  const gates = new Set(list.map(({ gate }) => gate))
  if (gates.size !== list.length) return 'a gate is named twice in its evidence'
  const missing = required.filter(({ name }) => !gates.has(name)).map(({ name }) => name)
  if (missing.length > 0) return `there is no evidence of the required ${missing.join(', ')}`
  for (const { gate, digest } of list) {
    const why = checkVerdict(
      question,
      gate,
      files.get(dossierOf(question.task, question.candidate).evidence(gate, digest)),
      digest,
    )
    if (why !== undefined) return `evidence of ${gate} ${why}`
  }
  return undefined
}

function checkVerdict(
  { task, tree, base, required, keys }: EvidenceQuestion,
  gate: string,
  bytes: Uint8Array | undefined,
  digest: string,
): string | undefined {
  if (bytes === undefined) return 'is missing'
  if (digestOf(bytes) !== digest) return 'was edited'
  const envelope = openEnvelope(bytes, keys)
  if (envelope.kind === 'rejected') return envelope.why
  const evidence = readEvidence(envelope.payload)
  if (evidence === undefined) return 'cannot be read'
  const { predicate } = evidence
  const entry = required.find(({ name }) => name === gate)
  if (entry === undefined) return 'is of a gate that the settings do not declare'
  if (evidence.tree !== tree) return 'is about another tree'
  if (predicate.base !== base) return 'compares with another base'
  if (predicate.task !== task) return `is about another task, ${predicate.task}`
  if (predicate.gate !== gate || predicate.result.gate !== gate) return `is of another gate, ${predicate.gate}`
  if (predicate.settings !== digestOfGateSettings(entry)) return 'was given under other settings'
  const { kind } = predicate.result.verdict
  return kind === 'passed' || kind === 'not-applicable' ? undefined : `says ${kind}`
}

function keptText(bytes: Uint8Array | undefined, digest: string): string | undefined {
  return bytes !== undefined && digestOf(bytes) === digest ? strictUtf8(bytes) : undefined
}

const no = (why: string): CheckedDossier => ({ kind: 'contradiction', why })
