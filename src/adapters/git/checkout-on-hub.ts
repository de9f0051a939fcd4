import { lstat, mkdtemp, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommitSha } from '../../domain/ids.ts'
import type { RefUpdate } from '../../ports/repository.ts'
import { alternate, environmentFor, guarded } from './environment.ts'
import { findGitFolder, type GitFolder } from './git-folder.ts'
import { emptyTree } from './object-cache.ts'
import { copyIndex } from './copy-index.ts'
import { pathText, splitBytes } from './path-name.ts'
import { git, tryGit, type Place } from './run-git.ts'
import type { Store } from './store.ts'

/**
 * A working tree of the hub that has a branch checked out. A push moves its files first and the ref after, so a push
 * that died in between leaves the new files under the old ref: `unfinished`, told from a person's edits by every
 * difference being exactly the pushed one.
 */
export interface Checkout {
  /** The working tree. */
  readonly path: string
  readonly ref: string
  /** Its own git folder. */
  readonly gitFolder: string
}

export type CheckoutState =
  | { readonly kind: 'clean' }
  | { readonly kind: 'locked'; readonly lock: string }
  | { readonly kind: 'dirty'; readonly example: string }
  | { readonly kind: 'unfinished' }

/** The working trees of a hub on this machine that have one of these branches checked out. */
export async function findCheckouts(hub: GitFolder, refs: readonly string[]): Promise<readonly Checkout[]> {
  const listing = await git(hub.place, ['worktree', 'list', '--porcelain', '-z'])
  const found = parseWorktrees(listing).filter(({ ref }) => refs.includes(ref))
  const checkouts = await Promise.all(
    found.map(async ({ path, ref }) => {
      const isThere = await stat(path).catch(() => undefined)
      const own = isThere === undefined ? undefined : await findGitFolder(path, hub.place.env)
      return own?.common === hub.common && !own.isBare ? [{ path, ref, gitFolder: own.path }] : []
    }),
  )
  return checkouts.flat()
}

/** Attributes end with a NUL, a working tree with an empty one: `worktree <path>`, `branch <ref>` or `detached` … */
export function parseWorktrees(output: Buffer): readonly { readonly path: string; readonly ref: string }[] {
  const found: { path: string; ref: string }[] = []
  let path = ''
  for (const line of output.toString('utf8').split('\0')) {
    if (line === '') path = ''
    else if (line.startsWith('worktree ')) path = line.slice('worktree '.length)
    else if (line.startsWith('branch ') && path !== '') found.push({ path, ref: line.slice('branch '.length) })
  }
  return found
}

/** Why a push that should have moved this checkout did not. Reads only. */
export async function lookAtCheckout(store: Store, checkout: Checkout, update: RefUpdate): Promise<CheckoutState> {
  const lock = join(checkout.gitFolder, 'index.lock')
  if ((await stat(lock).catch(() => undefined)) !== undefined) return { kind: 'locked', lock }
  const from = update.from ?? emptyTree(update.to)
  return withCopiedIndex(store, checkout, async (place) => {
    const env = seeing(store)
    const staged = await differences(place, ['diff-index', '--cached', from], env)
    const stagedOtherwise = await differences(place, ['diff-index', '--cached', update.to], env)
    const unstaged = await changedFiles(place, env)
    const fromNow = await changedSince(place, from, env)
    const toNow = await changedSince(place, update.to, env)
    const added = await addedFiles(place, from, update.to, env)
    const inTheWay = await existing(checkout.path, added)
    const untracked = await filesAbove(checkout.path, added, await trackedFiles(place, from, env))

    if (staged.size === 0 && unstaged.size === 0 && inTheWay.length + untracked.length === 0) return { kind: 'clean' }
    const theirs = [
      ...[...staged].filter((path) => stagedOtherwise.has(path)),
      ...[...fromNow].filter((path) => toNow.has(path)),
      ...inTheWay.filter((path) => toNow.has(path)),
      ...untracked,
    ]
    const [example] = theirs
    return example === undefined
      ? { kind: 'unfinished' }
      : { kind: 'dirty', example: pathText(Buffer.from(example, 'latin1')) }
  })
}

/**
 * Puts the files of an unfinished push back to the commit that stands, so that the push can run from its beginning,
 * hooks included. Every file that is touched holds exactly what the push will write again. Safe to repeat.
 */
export async function undoUnfinished(store: Store, checkout: Checkout, { from, to }: RefUpdate): Promise<void> {
  const place = placeIn(checkout, store.outward.env)
  const before = from ?? emptyTree(to)
  const leftovers = await existing(checkout.path, await addedFiles(place, before, to, seeing(store)))
  await git(place, ['read-tree', '--reset', '-u', before])
  for (const path of leftovers) await rm(bytesJoin(checkout.path, path), { force: true })
}

/** The hub may not have the pushed objects, our store has them. */
const seeing = (store: Store): Env => ({ GIT_ALTERNATE_OBJECT_DIRECTORIES: alternate(store.objectFolder) })

function placeIn(checkout: Checkout, base: NodeJS.ProcessEnv): Place {
  const env = environmentFor('hub', base)
  return {
    cwd: checkout.path,
    env: { ...env, GIT_DIR: checkout.gitFolder, GIT_WORK_TREE: checkout.path },
    config: guarded,
  }
}

async function withCopiedIndex<T>(store: Store, checkout: Checkout, look: (place: Place) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(await realpath(tmpdir()), 'gaffer-index-'))
  const index = join(scratch, 'index')
  try {
    copyIndex(join(checkout.gitFolder, 'index'), index)
    const place = placeIn(checkout, store.outward.env)
    return await look({ ...place, env: { ...place.env, GIT_INDEX_FILE: index } })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

type Env = Readonly<Record<string, string>>
const quiet = ['--name-only', '-z', '--no-renames', '--ignore-submodules=all', '--no-ext-diff']

/** Paths as latin1 text, so that they compare as bytes. */
async function differences(
  place: Place,
  [verb, ...rest]: readonly [string, ...string[]],
  env: Env,
): Promise<Set<string>> {
  return paths(await git(place, [verb, ...quiet, ...rest], { env }))
}

async function changedFiles(place: Place, env: Env): Promise<Set<string>> {
  // Exit 1 says that some files need an update: that is the question.
  await tryGit(place, ['update-index', '-q', '--refresh', '--ignore-submodules'], { env })
  return paths(await git(place, ['diff-files', ...quiet], { env }))
}

async function changedSince(place: Place, tree: string, env: Env): Promise<Set<string>> {
  await git(place, ['read-tree', '--reset', tree], { env })
  return changedFiles(place, env)
}

async function addedFiles(place: Place, from: string, to: CommitSha, env: Env): Promise<readonly string[]> {
  return [...paths(await git(place, ['diff-tree', '-r', '--diff-filter=A', ...quiet, from, to], { env }))]
}

const paths = (output: Buffer): Set<string> =>
  new Set(splitBytes(output, 0).flatMap((path) => (path.length === 0 ? [] : [path.toString('latin1')])))

async function existing(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(names.map((name) => lstat(bytesJoin(folder, name)).catch(() => undefined)))
  return names.filter((_, index) => found[index] !== undefined)
}

async function trackedFiles(place: Place, tree: string, env: Env): Promise<Set<string>> {
  return paths(await git(place, ['ls-tree', '-r', '-z', '--name-only', tree], { env }))
}

/** Untracked files in whose place a folder is to be made. */
async function filesAbove(
  folder: string,
  names: readonly string[],
  tracked: ReadonlySet<string>,
): Promise<readonly string[]> {
  const above = new Set(
    names.flatMap((name) => name.split('/').map((_, depth, parts) => parts.slice(0, depth).join('/'))),
  )
  const wanted = [...above].filter((name) => name !== '' && !tracked.has(name))
  const found = await Promise.all(wanted.map((name) => lstat(bytesJoin(folder, name)).catch(() => undefined)))
  return wanted.filter((_, index) => found[index]?.isDirectory() === false)
}

const bytesJoin = (folder: string, latin1: string): Buffer =>
  Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(latin1, 'latin1')])
