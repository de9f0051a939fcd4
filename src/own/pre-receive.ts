import { Fault } from '../domain/fault.ts'
import { commitSha, type CommitSha } from '../domain/ids.ts'
import { paths, refs } from '../domain/settings.ts'
import type { CommitInfo, History } from '../ports/repository.ts'
import { adoption, branchNamedBy } from './verify-range.ts'
import { verifyCommits } from './verify.ts'

export type PushVerdict =
  | { readonly kind: 'allowed' }
  /** What to print; git shows it to whoever pushes. */
  | { readonly kind: 'refused'; readonly lines: readonly string[] }

interface Update {
  /** null: the ref is made. */
  readonly from: CommitSha | null
  /** null: the ref is deleted. */
  readonly to: CommitSha | null
  readonly ref: string
}

/**
 * What git's `pre-receive` hook asks: may these refs move? The protected branch moves forward only, by commits that
 * verify with the evidence as it will stand after the same push; the evidence only grows. Other refs are nobody's
 * business here. Changes nothing; anything that cannot be found out refuses.
 * @param input standard input of the hook: lines of `old new ref`
 */
export async function judgePush(history: History, input: string): Promise<PushVerdict> {
  const updates = readUpdates(input)
  if (updates === undefined) return refused(['this hook was not called as git calls it: nothing was moved'])
  try {
    const lines = await objections(history, updates)
    return lines.length === 0 ? { kind: 'allowed' } : refused(lines)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return refused([`the push could not be verified: ${error.message}`, error.hint])
  }
}

async function objections(history: History, updates: readonly Update[]): Promise<readonly string[]> {
  const kept = updates.find(({ ref }) => ref === refs.evidence)
  const evidence = kept === undefined ? await history.head(refs.evidence) : (kept.to ?? undefined)
  const lines: string[] = kept === undefined ? [] : [...(await againstEvidence(history, kept))]
  for (const update of updates)
    if (await isProtected(history, update)) lines.push(...(await againstBranch(history, update, evidence)))
  return lines
}

/** By the settings that stood before the push, at HEAD and on the branch itself; a new branch speaks for itself. */
async function isProtected(history: History, { ref, from, to }: Update): Promise<boolean> {
  if (!ref.startsWith('refs/heads/')) return false
  const at = [await history.resolve('HEAD'), from ?? to].filter((commit) => commit !== undefined && commit !== null)
  const named = await Promise.all(at.map((commit) => branchNamedBy(history, commit)))
  return named.some((branch) => ref === `refs/heads/${branch}`)
}

async function againstBranch(
  history: History,
  { ref, from, to }: Update,
  evidence: CommitSha | undefined,
): Promise<readonly string[]> {
  if (to === null) return [`${ref} is protected: it is not deleted`]
  const commits = await history.commits(from, to)
  if (from !== null && from !== to && commits[0]?.parents[0] !== from)
    return [`${ref} is protected: it moves forward only, and ${short(to)} does not stand on ${short(from)}`]
  const { commits: verified } = await verifyCommits({
    history,
    commits: await answerable(history, from, commits),
    evidence,
  })
  const bad = verified.filter(({ status }) => status !== 'attested')
  if (bad.length === 0) return []
  return [
    `${ref} is protected: what lands there needs evidence and its owner's signature`,
    ...bad.slice(0, 20).map(({ sha, status, why }) => `  ${short(sha)} ${status}: ${why ?? 'no reason is known'}`),
    ...(bad.length > 20 ? [`  and ${bad.length - 20} more`] : []),
    'hand the change over with `gaffer delegate`, or see what is missing with `gaffer verify`',
  ]
}

/** Those after adoption. Adoption itself, and what lies before it, is the root of trust that people set by hand. */
async function answerable(
  history: History,
  from: CommitSha | null,
  commits: readonly CommitInfo[],
): Promise<readonly CommitInfo[]> {
  const head = commits.at(-1)
  if (head === undefined) return []
  if (from !== null && (await history.read(from, paths.allowedSigners)) !== undefined) return commits
  const root = await adoption(history, head.sha)
  if (root === undefined) return []
  const at = commits.findIndex(({ sha }) => sha === root)
  return commits.slice(at + 1) // all of them when adoption lies before `from`, where it was undone since
}

/** A file of the evidence is added once; nothing of it is changed, removed or forgotten. */
async function againstEvidence(history: History, { from, to }: Update): Promise<readonly string[]> {
  if (to === null) return [`${refs.evidence} only grows: it is not deleted`]
  if (from === null || from === to) return []
  const commits = await history.commits(from, to)
  if (commits[0]?.parents[0] !== from)
    return [`${refs.evidence} only grows: ${short(to)} does not continue ${short(from)}`]
  let before = from
  for (const { sha } of commits) {
    const edited = (await history.changes(before, sha)).filter(({ kind }) => kind !== 'added')
    if (edited.length > 0)
      return [`${refs.evidence} only grows: ${short(sha)} changes or removes ${edited[0]?.path ?? 'a file'}`]
    before = sha
  }
  return []
}

function readUpdates(input: string): readonly Update[] | undefined {
  const updates: Update[] = []
  for (const line of input.split('\n')) {
    if (line === '') continue
    const [, from, to, ref] =
      /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (refs\/[^\s]+)$/.exec(line) ?? []
    if (from === undefined || to === undefined || ref === undefined) return undefined
    updates.push({ from: objectOrNone(from), to: objectOrNone(to), ref })
  }
  return updates
}

const objectOrNone = (text: string): CommitSha | null => (/^0+$/.test(text) ? null : commitSha(text))
const short = (sha: CommitSha): string => sha.slice(0, 12)
const refused = (lines: readonly string[]): PushVerdict => ({ kind: 'refused', lines })
