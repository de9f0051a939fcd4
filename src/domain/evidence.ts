import { z } from 'zod'
import { emailSchema } from './actor.ts'
import type { CommitSha, Digest, TreeSha } from './ids.ts'
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
  task: z.string(),
  gate: z.string(),
  /** Digest of the gate's entry in the protected settings. */
  settings: digest,
  base: commit,
  result: gateResultSchema,
  at: z.iso.datetime(),
})
export type VerdictPredicate = z.infer<typeof verdictPredicateSchema>

/** What the owner signs: subject is the candidate commit and its tree. */
export const signOffPredicateSchema = z.strictObject({
  task: z.string(),
  title: z.string(),
  owner: emailSchema,
  /** The commit of the protected branch that the candidate stands on. */
  base: commit,
  candidate: commit,
  tree,
  brief: digest,
  /** Digest of the protected `.gaffer/gaffer.yaml` at `base`. */
  policy: digest,
  /** One digest (of the DSSE envelope's bytes) for each gate, in order of name. */
  evidence: z.array(z.strictObject({ gate: z.string(), digest })).min(1),
})
export type SignOffPredicate = z.infer<typeof signOffPredicateSchema>

/**
 * What landed: subject is the commit. When main had moved, `commit` is the candidate's change merged onto the new
 * `base`, and `evidence` is about the merged tree; otherwise `commit` is the candidate and `evidence` is the signed one.
 */
export const landingPredicateSchema = z.strictObject({
  task: z.string(),
  owner: emailSchema,
  commit,
  tree,
  base: commit,
  candidate: commit,
  signOff: digest,
  evidence: z.array(z.strictObject({ gate: z.string(), digest })).min(1),
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
