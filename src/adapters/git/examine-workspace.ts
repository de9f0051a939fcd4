import { accessSync, constants, lstatSync, readlinkSync, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import type { CommitSha } from '../../domain/ids.ts'
import type { WorkspaceProblem } from '../../ports/repository.ts'
import { ignoredAsFolders } from './ignored-as-folder.ts'
import type { ObjectCache } from './object-cache.ts'
import { hashObject } from './objects.ts'
import { isGitName, pathBytes, pathText } from './path-name.ts'
import { findItem, listFiles } from './read-tree.ts'
import type { ChangedFile, Status } from './status.ts'
import type { Store } from './store.ts'
import { leavesWorkspace } from './symlink.ts'
import { bytesPath, walkWorkspace, type Walk } from './walk-workspace.ts'

/** What of a workspace goes into its tree, and what cannot. Paths are latin1 text, one character a byte. */
export interface WorkspaceFindings {
  readonly add: ReadonlyMap<string, Stats>
  readonly remove: ReadonlySet<string>
  readonly problems: Problems
  /** Whether .gitattributes may say that bytes in the tree are not those of the file. */
  readonly hasAttributes: boolean
}

export class Problems {
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

export async function examineWorkspace(
  request: {
    readonly store: Store
    readonly objects: ObjectCache
    readonly since: CommitSha
    readonly fileLimitBytes: number
  },
  real: string,
  status: Status,
): Promise<WorkspaceFindings> {
  const { store, objects, since, fileLimitBytes } = request
  const [add, remove, problems] = [new Map<string, Stats>(), new Set<string>(), new Problems()]
  const untracked = status.untracked.map((path) => path.toString('latin1'))
  const ignored = new Set(status.ignored.map((path) => path.toString('latin1').replace(/\/$/, '')))
  const links = untracked.filter((path) => lookAt(real, path)?.isSymbolicLink() === true)
  const provided = await ignoredAsFolders(store, real, links)
  for (const path of provided) ignored.add(path)
  const walk = await walkWorkspace(real, ignored)

  await findNested({ objects, since, real, status, walk, problems })
  const leaving = await findLeaving({ objects, since, real, walk, problems })
  for (const path of walk.special) problems.add('special-file', path, 'it is neither a file, a folder nor a symlink')
  for (const path of walk.closed) problems.add('special-file', path, 'the folder cannot be read')

  const consider = (path: string, file: Stats | undefined): void => {
    if (file === undefined) return void remove.add(path)
    if (path.split('/').some((name) => isGitName(Buffer.from(name, 'latin1')))) return
    if (file.isSymbolicLink()) {
      if (!leaving.has(path)) add.set(path, file)
    } else if (!file.isFile()) {
      problems.add('special-file', path, 'it is neither a file, a folder nor a symlink')
    } else if (file.size > fileLimitBytes) {
      problems.add('too-large', path, `${file.size} bytes, and ${fileLimitBytes} are allowed`)
    } else if (!isReadable(real, path)) {
      problems.add('special-file', path, 'it cannot be read')
    } else add.set(path, file)
  }

  for (const path of untracked) if (!path.endsWith('/') && !provided.has(path)) consider(path, lookAt(real, path))
  const gone = status.changed.some(({ path, isGone }) => isGone && path.toString('latin1').endsWith('.gitattributes'))
  const hasAttributes = walk.hasAttributes || gone
  for (const change of status.changed) await considerChange({ real, change, hasAttributes, consider })
  return { add, remove, problems, hasAttributes }
}

async function considerChange(input: {
  readonly real: string
  readonly change: ChangedFile
  readonly hasAttributes: boolean
  readonly consider: (path: string, file: Stats | undefined) => void
}): Promise<void> {
  const { real, change, hasAttributes, consider } = input
  const path = change.path.toString('latin1')
  // Git says gone also of what is only reached through a symlink: it must not be looked at.
  const file = change.isGone ? undefined : lookAt(real, path)
  if (file?.isDirectory() !== true) {
    const isPlain = file?.isFile() === true && change.indexMode === change.fileMode
    if (hasAttributes && isPlain && (await hasBytesOf(real, change, file))) return
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

const isReadable = (real: string, path: string): boolean => {
  try {
    accessSync(bytesPath(real, path), constants.R_OK)
    return true
  } catch {
    return false
  }
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
