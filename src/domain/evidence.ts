import { z } from 'zod'
import { emailSchema } from './actor.ts'
import { isTaskId, type CommitSha, type Digest, type TaskId, type TreeSha } from './ids.ts'
import { gateResultSchema } from './verdict.ts'

/**
 * **Evidence** is a signed in-toto Statement v1 (https://in-toto.io/Statement/v1) of a verdict about a git tree, in a
 * DSSE envelope (payload type `application/vnd.in-toto+json`) signed with the ed25519 key of a Gaffer instance.
 * A **Sign-off** is the owner's SSH signature over the statement of what lands. A **Landing** statement names the
 * commit itself.
 */
const hex = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/
const commit = z.string().refine((text): text is CommitSha => hex.test(text), 'is not a commit id')
const tree = z.string().refine((text): text is TreeSha => hex.test(text), 'is not a tree id')
const digest = z.string().refine((text): text is Digest => /^sha256:[0-9a-f]{64}$/.test(text), 'is not a digest')
export const objectSchemas = { commit, tree, digest }
const task = z.string().refine((text): text is TaskId => isTaskId(text), 'is not a task id')
const gate = z.string().regex(/^[a-z0-9][a-z0-9-]*$/)
/** One for each gate, in order of name; the digest is over the bytes of the DSSE envelope. */
const evidence = z.array(z.strictObject({ gate, digest })).min(1).readonly()
export type EvidenceList = z.infer<typeof evidence>

export const predicateTypes = {
  /** in-toto test-result v0.1, for gates that count tests. */
  testResult: 'https://in-toto.io/attestation/test-result/v0.1',
  verdict: 'urn:gaffer:verdict:v1',
  signOff: 'urn:gaffer:sign-off:v1',
  landing: 'urn:gaffer:landing:v1',
} as const

export const statementType = 'https://in-toto.io/Statement/v1'
export const payloadType = 'application/vnd.in-toto+json'
/** Namespace of `ssh-keygen -Y sign`. */
export const signOffNamespace = 'gaffer-sign-off'

/** What one gate said about one tree, compared with one base. */
export const verdictPredicateSchema = z.strictObject({
  task,
  gate,
  /** Digest of the gate's entry in the protected settings. */
  settings: digest,
  base: commit,
  result: gateResultSchema,
  at: z.iso.datetime(),
})
export type VerdictPredicate = z.infer<typeof verdictPredicateSchema>

/**
 * in-toto test-result v0.1, for a gate that counts tests: what any reader of that predicate expects, and beside it
 * the whole verdict (the format tells readers to ignore members they do not know).
 */
export const testResultPredicateSchema = z.strictObject({
  result: z.enum(['PASSED', 'FAILED']),
  configuration: z.tuple([
    z.strictObject({ name: z.string(), digest: z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }) }),
  ]),
  gaffer: verdictPredicateSchema,
})
export type TestResultPredicate = z.infer<typeof testResultPredicateSchema>

/** What the owner signs: subject is the candidate commit and its tree. */
export const signOffPredicateSchema = z.strictObject({
  task,
  title: z.string(),
  owner: emailSchema,
  /** The commit of the protected branch that the candidate stands on. */
  base: commit,
  candidate: commit,
  tree,
  brief: digest,
  /** Digest of the protected `.gaffer/gaffer.yaml` at `base`. */
  policy: digest,
  evidence,
})
export type SignOffPredicate = z.infer<typeof signOffPredicateSchema>

/**
 * What landed: subject is the commit. When main had moved, `commit` is the candidate's change merged onto the new
 * `base`, and `evidence` is about the merged tree; otherwise `commit` is the candidate and `evidence` is the signed
 * one. Every file kept beside the statement is named here by digest, so that none can be edited unseen.
 */
export const landingPredicateSchema = z.strictObject({
  task,
  owner: emailSchema,
  commit,
  tree,
  base: commit,
  candidate: commit,
  /** The last checkpoint of the units: what the agent built, one commit a unit. */
  built: commit,
  /**
   * null when main had not moved. Else `work` is the candidate without its changelog entry, and `merged` is `work`
   * merged onto `base`; `commit` is `merged` with the entry. Apart, because two changes that both add an entry to the
   * same list would always conflict there.
   */
  merge: z.strictObject({ work: commit, merged: commit }).nullable(),
  signOff: digest,
  /** Of the armoured signature. */
  signature: digest,
  /** Of the pull-request text. */
  text: digest,
  evidence,
})
export type LandingPredicate = z.infer<typeof landingPredicateSchema>

/** One line of `gaffer verify --json`. */
export interface VerifiedCommit {
  readonly sha: CommitSha
  readonly status: 'attested' | 'bypass' | 'tampered'
  readonly task?: string
  readonly owner?: string
  readonly why?: string
}
export interface Verification {
  readonly ok: boolean
  readonly commits: readonly VerifiedCommit[]
}
