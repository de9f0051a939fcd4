import { constants, lstatSync, readlinkSync, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { treeSha, type CommitSha, type TreeSha } from '../../domain/ids.ts'
import type { Snapshot, WorkspaceProblem } from '../../ports/repository.ts'
import { ignoredAsFolders } from './ignored-as-folder.ts'
import { keepIndex } from './keep-index.ts'
import type { ObjectCache } from './object-cache.ts'
import { hashObject } from './objects.ts'
import { isGitName, pathBytes, pathText } from './path-name.ts'
import { findItem, listFiles } from './read-tree.ts'
import { git, tryGit, type Place } from './run-git.ts'
import { readStatus, type ChangedFile, type Status } from './status.ts'
import type { Store } from './store.ts'
import { leavesWorkspace } from './symlink.ts'
import { bytesPath, walkWorkspace, type Walk } from './walk-workspace.ts'
import {
  confirmWorkspace,
  findWorkspace,
  inWorkspace,
  type WorkspacePlace,
  type WorkspaceRun,
} from './workspace-place.ts'

/**
 * The tree of a workspace's files: what `git add --all` on top of `since` would give, computed with nothing of the
 * agent's but its files and .gitignore. Three differences, on purpose:
 *  - What is a problem is left out: a new file is not in the tree, a changed one is as it was in `since`.
 *  - Line ends and encodings go by .gitattributes as in any clone, filters never run, and a file whose bytes are those
 *    of `since` is unchanged whatever attributes say: nobody's change holds files that nobody touched.
 *  - A symlink that stands for an ignored folder is ignored.
 */
export interface SnapshotRequest {
  readonly store: Store
  readonly objects: ObjectCache
  readonly folder: string
  readonly since: CommitSha
  readonly fileLimitBytes: number
}

export async function takeSnapshot(request: SnapshotRequest): Promise<Snapshot> {
  const { store, objects, folder, since } = request
  const workspace = await findWorkspace(store, folder, 'read')
  const before = await objects.treeOf(since)
  const snapshot = await inWorkspace(workspace, since, async (run) => {
    const status = await statusSince(workspace, run, before)
    const findings = await examine(request, workspace, status)
    const tree = await writeTree(run, before, findings)
    return { tree, problems: findings.problems.list() }
  })
  await confirmWorkspace(workspace)
  return snapshot
}

/** Brings the index to `since` when it is not there, keeping what it knows of unchanged files. */
async function statusSince(workspace: WorkspacePlace, { place, index }: WorkspaceRun, since: TreeSha): Promise<Status> {
  const first = await readStatus(place)
  if (first.staged) await git(place, ['read-tree', '--reset', since])
  const status = first.staged ? await readStatus(place) : first
  await keepIndex(workspace, index)
  return status
}

interface Findings {
  /** Latin1 paths, in no order. */
  readonly add: Set<string>
  readonly remove: Set<string>
  readonly problems: Problems
}

class Problems {
  readonly #found = new Map<string, WorkspaceProblem>()

  /** One problem a path: the first that is found. */
  add(kind: WorkspaceProblem['kind'], path: string, detail: string): void {
    const shown = pathText(Buffer.from(path, 'latin1'))
    if (!this.#found.has(shown)) this.#found.set(shown, { kind, path: shown, detail })
  }

  list(): readonly WorkspaceProblem[] {
    return [...this.#found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }
}

async function examine(request: SnapshotRequest, { real }: WorkspacePlace, status: Status): Promise<Findings> {
  const { store, objects, since, fileLimitBytes } = request
  const findings: Findings = { add: new Set(), remove: new Set(), problems: new Problems() }
  const untracked = status.untracked.map((path) => path.toString('latin1'))
  const ignored = new Set(status.ignored.map((path) => path.toString('latin1').replace(/\/$/, '')))
  const links = untracked.filter((path) => lookAt(real, path)?.isSymbolicLink() === true)
  const provided = await ignoredAsFolders(store, real, links)
  for (const path of provided) ignored.add(path)
  const walk = await walkWorkspace(real, ignored)

  await findNested({ objects, since, real, status, walk, problems: findings.problems })
  const leaving = await findLeaving({ objects, since, real, walk, problems: findings.problems })
  for (const path of walk.special)
    findings.problems.add('special-file', path, 'it is neither a file, a folder nor a symlink')
  for (const path of walk.closed) findings.problems.add('special-file', path, 'the folder cannot be read')

  const consider = (path: string, file: Stats | undefined): void => {
    if (file === undefined) return void findings.remove.add(path)
    if (path.split('/').some((name) => isGitName(Buffer.from(name, 'latin1')))) return
    if (file.isSymbolicLink()) {
      if (!leaving.has(path)) findings.add.add(path)
    } else if (!file.isFile()) {
      findings.problems.add('special-file', path, 'it is neither a file, a folder nor a symlink')
    } else if (file.size > fileLimitBytes) {
      findings.problems.add('too-large', path, `${file.size} bytes, and ${fileLimitBytes} are allowed`)
    } else findings.add.add(path)
  }

  for (const path of untracked) if (!path.endsWith('/') && !provided.has(path)) consider(path, lookAt(real, path))
  for (const change of status.changed) await considerChange(real, change, consider)
  return findings
}

async function considerChange(
  real: string,
  change: ChangedFile,
  consider: (path: string, file: Stats | undefined) => void,
): Promise<void> {
  const path = change.path.toString('latin1')
  // Git says gone also of what is only reached through a symlink: it must not be looked at.
  const file = change.isGone ? undefined : lookAt(real, path)
  if (file?.isDirectory() !== true) {
    if (file?.isFile() === true && change.indexMode === change.fileMode && (await hasBytesOf(real, change, file)))
      return
    return consider(path, file)
  }
  // A folder where a file was: what is in it is untracked and listed. A submodule's own folder is looked at elsewhere.
  if (change.indexMode !== '160000') consider(path, undefined)
}

async function hasBytesOf(real: string, { path, indexSha }: ChangedFile, { size }: Stats): Promise<boolean> {
  if (size > maxComparedBytes) return false
  const place = bytesPath(real, path.toString('latin1'))
  const file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  )
  if (file === undefined) return false
  try {
    return hashObject(indexSha.length === 64 ? 'sha256' : 'sha1', 'blob', await file.readFile()) === indexSha
  } finally {
    await file.close()
  }
}
const maxComparedBytes = 64 * 1024 * 1024

/** Repositories inside the workspace, and files in a submodule's folder: neither can be in a tree. */
async function findNested(input: {
  readonly objects: ObjectCache
  readonly since: CommitSha
  readonly real: string
  readonly status: Status
  readonly walk: Walk
  readonly problems: Problems
}): Promise<void> {
  const { objects, since, real, status, walk, problems } = input
  for (const path of status.untracked.map((name) => name.toString('latin1')))
    if (path.endsWith('/')) problems.add('nested-repository', path.slice(0, -1), 'it is a repository of its own')
  for (const path of walk.gitNames) {
    const folder = path.split('/').slice(0, -1).join('/')
    if (path.endsWith('/.git')) problems.add('nested-repository', folder, 'it is a repository of its own')
    else problems.add('nested-repository', path, 'some systems take that name for .git')
  }
  if ((await findItem(objects, since, '.gitmodules')) === undefined) return
  const empty = new Set(walk.emptyFolders)
  for (const { path, mode } of await listFiles(objects, since)) {
    if (mode !== '160000') continue
    const place = pathBytes(path).toString('latin1')
    if (lookAt(real, place)?.isDirectory() === true && !empty.has(place))
      problems.add('nested-repository', place, 'it is a submodule: its files are part of another repository')
  }
}

/** Symlinks that leave the workspace, but for those that `since` has and that leave all by themselves. */
async function findLeaving(input: {
  readonly objects: ObjectCache
  readonly since: CommitSha
  readonly real: string
  readonly walk: Walk
  readonly problems: Problems
}): Promise<ReadonlySet<string>> {
  const { objects, since, real, walk, problems } = input
  const targets = new Map<string, string | undefined>()
  const readLink = (path: string): string | undefined => {
    if (!targets.has(path)) targets.set(path, targetOf(real, path))
    return targets.get(path)
  }
  const leaving = walk.links.filter((path) => leavesWorkspace(path, readLink))
  for (const path of leaving) {
    const target = readLink(path) ?? ''
    const alone = leavesWorkspace(path, (asked) => (asked === path ? target : undefined))
    const old = await findItem(objects, since, pathText(Buffer.from(path, 'latin1')))
    const same = old?.mode === '120000' && (await objects.blob(old.sha)).equals(Buffer.from(target, 'latin1'))
    if (!alone || !same)
      problems.add('symlink-leaves', path, `it leads to ${pathText(Buffer.from(target, 'latin1')).slice(0, 300)}`)
  }
  return new Set(leaving)
}

const lookAt = (real: string, path: string): Stats | undefined => {
  try {
    return lstatSync(bytesPath(real, path))
  } catch {
    return undefined
  }
}

const targetOf = (real: string, path: string): string | undefined => {
  try {
    return readlinkSync(bytesPath(real, path), { encoding: 'buffer' }).toString('latin1')
  } catch {
    return undefined
  }
}

async function writeTree(
  { place }: WorkspaceRun,
  before: TreeSha,
  { add, remove, problems }: Findings,
): Promise<TreeSha> {
  if (add.size === 0 && remove.size === 0) return before
  if (remove.size > 0)
    await git(place, ['update-index', '--force-remove', '-z', '--stdin'], { stdin: nulEnded([...remove]) })
  await addFiles(place, [...add], problems)
  const tree = await git(place, ['write-tree'])
  return treeSha(tree.toString('latin1').trim())
}

/** git stops at the first file it cannot take; halving finds which, and the others go in. */
async function addFiles(place: Place, paths: readonly string[], problems: Problems): Promise<void> {
  if (paths.length === 0) return
  const args = ['update-index', '--add', '--remove', '--replace', '-z', '--stdin']
  if (paths.length > 1) {
    const ran = await tryGit(place, args, { stdin: nulEnded(paths) })
    if (ran.exitCode === 0) return
    const middle = Math.ceil(paths.length / 2)
    await addFiles(place, paths.slice(0, middle), problems)
    return addFiles(place, paths.slice(middle), problems)
  }
  await git(place, args, { stdin: nulEnded(paths) }).catch((error: unknown) => {
    if (!(error instanceof Error) || ('code' in error && error.code === 'disk-full')) throw error
    problems.add('special-file', paths[0] ?? '', `git cannot take it: ${error.message}`)
  })
}

const nulEnded = (paths: readonly string[]): Buffer => Buffer.from(paths.map((path) => `${path}\0`).join(''), 'latin1')
