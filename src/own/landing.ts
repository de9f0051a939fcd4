import { refuse, type Refusal } from '../domain/fault.ts'
import type { CommitSha } from '../domain/ids.ts'
import { canonicalJson, digestOf } from '../domain/json.ts'
import { refs } from '../domain/settings.ts'
import { tipOf, type Attempt, type Landing, type Signed } from '../domain/task/task.ts'
import type { GateResult } from '../domain/verdict.ts'
import type { Repository } from '../ports/repository.ts'
import { sealVerdicts, withChangelog, workOnto, type Envelope } from './candidate.ts'
import { changeText } from './change-text.ts'
import { gafferPerson } from './commit-message.ts'
import { sealEnvelope, type EnvelopeSigner } from './dsse.ts'
import { dossierOf, landingPath } from './evidence-layout.ts'
import { requireBase, requireTrusted } from './protected-base.ts'
import { landingStatement } from './statements.ts'

/**
 * From a signature to the protected branch, in three steps that are each safe to repeat at any point:
 * `composeLanding` (what would land now) → gates, when main had moved → `prepareLanding` (what is kept about it) →
 * `pushLanding` (see push-landing.ts). When the push says `moved`, begin again.
 */
export type ComposedLanding =
  /** Main stands where it stood at the signature: the candidate itself lands, and its evidence stands. */
  | { readonly kind: 'direct'; readonly attempt: Attempt }
  /** Main had moved: `attempt.tree` has to be judged by the final gates against `attempt.base`. */
  | { readonly kind: 'merged'; readonly attempt: Attempt; readonly merge: Merged }
  | { readonly kind: 'conflict'; readonly base: CommitSha; readonly paths: readonly string[] }
  /** Main had moved, and its settings want a new signature then (or the merge could not be checked later). */
  | { readonly kind: 'sign-again'; readonly base: CommitSha }
  /** Main contains it and the evidence says so: a push that went through before a crash. */
  | { readonly kind: 'landed'; readonly commit: CommitSha }
  | { readonly kind: 'branch-gone' }

export interface Merged {
  readonly work: CommitSha
  readonly merged: CommitSha
}

/** Writes git objects and moves nothing. @throws Fault bad-settings */
export async function composeLanding(repository: Repository, task: Signed | Landing): Promise<ComposedLanding> {
  await repository.fetch()
  const { commit, tree, base: signedOn } = task.candidate
  const head = await repository.head(`refs/heads/${task.branch}`)
  if (head === undefined) return { kind: 'branch-gone' }
  const sent = await alreadySent(repository, task, head)
  if (sent !== undefined && (await hasStatement(repository, sent))) return { kind: 'landed', commit: sent.commit }

  const base = sent?.base ?? head
  if (base === signedOn) return { kind: 'direct', attempt: { commit, tree, base } }
  const { settings } = await requireBase(repository, base)
  if (settings.review.resign) return { kind: 'sign-again', base }
  return mergeOnto(repository, task, base)
}

/** What of this task is in main already, from before a crash or by somebody's hand. */
async function alreadySent(
  repository: Repository,
  task: Signed | Landing,
  head: CommitSha,
): Promise<Attempt | undefined> {
  for (const attempt of [...(task.state === 'landing' ? [task.attempt] : []), task.candidate]) {
    const known = (await repository.resolve(attempt.commit)) !== undefined
    if (known && (await repository.isAncestor(attempt.commit, head))) return attempt
  }
  return undefined
}

async function hasStatement(repository: Repository, { base, commit }: Attempt): Promise<boolean> {
  const evidence = await repository.head(refs.evidence)
  return evidence !== undefined && (await repository.read(evidence, landingPath(base, commit))) !== undefined
}

async function mergeOnto(repository: Repository, task: Signed | Landing, base: CommitSha): Promise<ComposedLanding> {
  const { candidate } = task
  const signed = await workOnto(repository, task, candidate.base)
  if (signed.kind === 'conflict' || (await withChangelog(repository, signed.tree, task)) !== candidate.tree)
    return { kind: 'sign-again', base } // composed by another version of Gaffer or git: nobody could check the merge
  const { message, author, committer } = await repository.commitInfo(candidate.commit)
  const { at } = committer
  const aside = { message: `Gaffer: ${task.id} without its changelog entry`, at }
  const by = { author: gafferPerson, committer: gafferPerson }
  const work = await repository.commit({ ...aside, ...by, tree: signed.tree, parents: [candidate.base] })
  const merge = await repository.merge(base, work)
  if (merge.kind === 'conflict') return { ...merge, base }

  const merged = await repository.commit({ ...aside, ...by, tree: merge.tree, parents: [base] })
  const tree = await withChangelog(repository, merge.tree, task)
  const commit = await repository.commit({ tree, parents: [base], message, author, committer, at })
  return { kind: 'merged', attempt: { commit, tree, base }, merge: { work, merged } }
}

export interface LandingInput {
  readonly task: Signed | Landing
  readonly composed: Extract<ComposedLanding, { kind: 'direct' | 'merged' }>
  /** The candidate's evidence, from composeCandidate. */
  readonly envelopes: readonly Envelope[]
  /** What the final gates said: of the candidate when `direct`, of the merged tree when `merged`. */
  readonly results: readonly GateResult[]
  /** When the gates of a merged tree were run; recorded, so that preparing again gives the same. */
  readonly at: string
  readonly key: EnvelopeSigner
}

/** Everything a push needs; plain data, so that a workflow can remember it. */
export interface PreparedLanding {
  readonly kind: 'prepared'
  readonly branch: string
  readonly task: string
  readonly attempt: Attempt
  /** Path in the evidence tree → content. */
  readonly files: Readonly<Record<string, string>>
  /** Commits that the evidence keeps alive: the candidate, and the checkpoints behind it. */
  readonly keeps: readonly CommitSha[]
  readonly at: string
}

/**
 * Makes the landing statement and gathers what is kept with it. Moves nothing; repeating gives the same bytes.
 * @returns a refusal when the merged tree's evidence is missing or says anything but passed
 */
export async function prepareLanding(
  repository: Repository,
  { task, composed, envelopes, results, at, key }: LandingInput,
): Promise<PreparedLanding | Refusal> {
  const { candidate, signature } = task
  const { attempt } = composed
  const known = new Set(envelopes.map(({ digest }) => digest))
  if (candidate.evidence.some(({ digest }) => !known.has(digest)) || known.size !== candidate.evidence.length)
    return refuse('landing', 'the evidence at hand is not what was signed', 'prepare the candidate again, and sign it')
  requireTrusted(await requireBase(repository, attempt.base), key) // the landing statement is sealed with it
  const about = { task, tree: attempt.tree, base: attempt.base, results, at, key }
  const regated =
    composed.kind === 'direct'
      ? { kind: 'sealed' as const, envelopes }
      : sealVerdicts(await requireBase(repository, attempt.base), about)
  if (regated.kind === 'refused') return regated

  const built = tipOf(task)
  const merge = composed.kind === 'merged' ? composed.merge : null
  const text = changeText(task, results)
  const statement = landingStatement({
    task: task.id,
    owner: signature.by,
    ...attempt,
    candidate: candidate.commit,
    built,
    merge,
    signOff: digestOf(candidate.statement),
    signature: digestOf(signature.armoured),
    text: digestOf(text),
    evidence: regated.envelopes.map(({ gate, digest }) => ({ gate, digest })),
  })
  const dossier = dossierOf(task.id, candidate.commit)
  const evidence = [...envelopes, ...regated.envelopes].map(
    ({ gate, digest, content }) => [dossier.evidence(gate, digest), content] as const,
  )
  return {
    kind: 'prepared',
    branch: task.branch,
    task: task.id,
    attempt,
    files: {
      [dossier.brief]: canonicalJson(task.brief),
      [dossier.text]: text,
      [dossier.signOff]: candidate.statement,
      [dossier.signature]: signature.armoured,
      ...Object.fromEntries(evidence),
      [landingPath(attempt.base, attempt.commit)]: sealEnvelope(statement, key),
    },
    keeps: [...new Set([candidate.commit, ...(merge === null ? [] : [merge.work, merge.merged]), built])],
    at,
  }
}
