import { Fault } from '../domain/fault.ts'
import type { CommitSha } from '../domain/ids.ts'
import { readSettings } from '../domain/read-settings.ts'
import { paths } from '../domain/settings.ts'
import type { CommitInfo, History } from '../ports/repository.ts'

/**
 * Which commits `gaffer verify [RANGE]` is about, along first parents, oldest first:
 *
 * - nothing: the protected branch, since adoption. The branch is the one that `.gaffer/gaffer.yaml` at HEAD names
 *   (`main` where it names none that can be read); HEAD where there is no such branch.
 * - `A`: the history of that one commit, since adoption.
 * - `A..B`: what B has and A has not, as it stands: what lies before adoption, and adoption itself, is in nobody's
 *   chain and is a bypass. A missing end is HEAD.
 *
 * **Adoption** is the oldest commit in which `.gaffer/allowed_signers` exists. It is the root of trust: nothing before
 * it can vouch for it, so that it is left out, and people have to know it.
 * @throws Fault bad-input (not a range, no such revision, a range that holds nothing), bad-settings (never adopted, or
 *   two branches name each other the protected one)
 */
export async function commitsToVerify(history: History, range: string | undefined): Promise<readonly CommitInfo[]> {
  if (range === undefined) return sinceAdoption(history, await protectedHead(history))
  const [from, to, ...more] = range.split('..')
  if (range.startsWith('-') || range.includes('...') || more.length > 0) throw notARange(range)
  if (to === undefined) return sinceAdoption(history, await revision(history, range))

  const [first, last] = [await revision(history, from || 'HEAD'), await revision(history, to || 'HEAD')]
  const commits = await history.commits(first, last)
  if (commits.length === 0 && first !== last)
    throw new Fault('bad-input', `${range} holds no commit`, { hint: 'give the older end first: OLD..NEW' })
  const before = commits[0]?.parents[0]
  if (before !== undefined && !(await history.isAncestor(before, first))) throw tooShallow()
  return commits
}

/** First-parent commits after adoption, oldest first. */
export async function sinceAdoption(history: History, head: CommitSha): Promise<readonly CommitInfo[]> {
  const root = await adoption(history, head)
  if (root === undefined)
    throw new Fault('bad-settings', `no commit of this history has ${paths.allowedSigners}`, {
      hint: 'run `gaffer init` on the protected branch and commit what it writes; verification begins there',
    })
  return history.commits(root, head)
}

/**
 * The oldest first-parent commit that knows of Gaffer. Never assumes that the file stayed: a bypass may delete it.
 * @throws Fault bad-input in a clone too shallow to say
 */
export async function adoption(history: History, head: CommitSha): Promise<CommitSha | undefined> {
  const commits = await history.commits(null, head, { touching: paths.allowedSigners })
  for (const { sha, parents } of commits) {
    if ((await history.read(sha, paths.allowedSigners)) === undefined) continue
    const [before] = parents
    if (before === undefined) return sha
    const isThere = (await history.resolve(before)) !== undefined
    // In a shallow clone history seems to begin where it was cut, and fetched evidence may hold what lies before.
    if (isThere && (await history.read(before, paths.allowedSigners)) === undefined) return sha
    throw tooShallow()
  }
  return undefined
}

/** The branch that a commit's settings name; `main` where they name none that can be read. */
export async function branchNamedBy(history: History, commit: CommitSha): Promise<string> {
  try {
    return readSettings(await history.read(commit, paths.settings)).branch
  } catch (error) {
    if (error instanceof Fault && error.code === 'bad-settings') return 'main'
    throw error
  }
}

async function protectedHead(history: History): Promise<CommitSha> {
  const head = await revision(history, 'HEAD')
  const branch = await branchNamedBy(history, head)
  const protectedHead = await history.head(`refs/heads/${branch}`)
  if (protectedHead === undefined) return head
  const named = await branchNamedBy(history, protectedHead)
  // A change that points the settings at a harmless branch must not choose what is looked at.
  if (named !== branch)
    throw new Fault('bad-settings', `HEAD says that ${branch} is protected, and ${branch} says that ${named} is`, {
      hint: `say what to verify: \`gaffer verify ${named}\``,
    })
  return protectedHead
}

async function revision(history: History, text: string): Promise<CommitSha> {
  const commit = text.startsWith('-') ? undefined : await history.resolve(text)
  if (commit !== undefined) return commit
  throw new Fault('bad-input', `${text} is no commit of this repository`, {
    hint: text === 'HEAD' ? 'make a first commit' : 'give a branch, a tag or a commit; fetch it when it is elsewhere',
  })
}

const tooShallow = (): Fault =>
  new Fault('bad-input', 'this clone is shallow, and its history ends before what is to be verified', {
    hint: 'run `git fetch --unshallow`, or verify what is here: OLD..NEW',
  })

const notARange = (range: string): Fault =>
  new Fault('bad-input', `${range} is not a range`, { hint: 'give OLD..NEW, or one revision, or nothing' })
