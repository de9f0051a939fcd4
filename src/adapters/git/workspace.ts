import { lstat, mkdir, readdir, rmdir } from 'node:fs/promises'
import { Fault } from '../../domain/fault.ts'
import type { CommitSha } from '../../domain/ids.ts'
import { atTop, ignoredAsFolders, plainPathspecs } from './ignored-as-folder.ts'
import { awaitIndex } from './locks.ts'
import type { ObjectCache } from './object-cache.ts'
import { pathBytes, pathText, splitBytes } from './path-name.ts'
import { findItem, listFiles } from './read-tree.ts'
import { removeAll } from './remove-all.ts'
import { git, tryGit, type Place } from './run-git.ts'
import { readStatus, type Status } from './status.ts'
import type { Store } from './store.ts'
import { bytesPath, holdsExactly, walkWorkspace } from './walk-workspace.ts'
import { planGitFolder, putGitFolder } from './workspace-git.ts'
import { confirmWorkspace, findWorkspace, type WorkspacePlace } from './workspace-place.ts'
import { headTo, indexOf } from './workspace-run.ts'

/**
 * Makes a folder a workspace at a commit. When it is one already, only what differs is touched and ignored files stay;
 * when it is damaged, or something else, it is made anew. Safe to repeat, also after a crash in the middle.
 */
export async function openWorkspace(input: {
  readonly store: Store
  readonly objects: ObjectCache
  readonly folder: string
  readonly at: CommitSha
}): Promise<void> {
  const { store, objects, folder, at } = input
  await objects.commit(at) // a commit that is not there must not cost the files that are
  const { note, ...workspace } = findWorkspace(store, folder, 'open')
  if (note === undefined || !(await isFolder(workspace.real))) await emptyFolder(workspace.real)

  const index = indexOf(workspace)
  const open = async (): Promise<void> => {
    await awaitIndex(index)
    const place = headTo(workspace, at)
    const [planned, reset] = await Promise.allSettled([
      planGitFolder({ workspace, objects, note, at }),
      resetFiles({ workspace, objects, place, at }),
    ])
    if (reset.status === 'rejected') throw reset.reason
    if (planned.status === 'rejected') throw planned.reason
    await putGitFolder(workspace, planned.value, index)
  }
  await open().catch(async (error: unknown) => {
    if (!(error instanceof Fault) || error.code !== 'git-failed') throw error
    await emptyFolder(workspace.real)
    await removeAll(index)
    await open()
  })
  confirmWorkspace(workspace)
}

const isFolder = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => undefined))?.isDirectory() === true

async function emptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const name of await readdir(folder, { encoding: 'buffer' }))
    await removeAll(bytesPath(folder, name.toString('latin1')))
}

/** Tracked files as in the commit, everything else gone but for what the commit's own .gitignore files ignore. */
async function resetFiles(input: {
  readonly workspace: WorkspacePlace
  readonly objects: ObjectCache
  readonly place: Place
  readonly at: CommitSha
}): Promise<void> {
  const { workspace, objects, place, at } = input
  const { real, store } = workspace
  await git(place, ['read-tree', '--reset', '-u', at])
  if (await isExactly(real, objects, at)) return
  for (let rounds = 0; rounds < maxIgnoreFiles; rounds += 1) {
    const status = await readStatus(place)
    const kept = await linksToKeep(store, real, status)
    const unwanted = status.untracked.map((path) => path.toString('latin1')).filter((path) => !kept.has(path))
    const hiding = await hidingIgnoreFiles(place, status)
    for (const path of [...unwanted, ...hiding]) await removeAll(bytesPath(real, path.replace(/\/$/, '')))
    const unhides = [...unwanted, ...hiding].some((path) => /(?:^|\/)\.gitignore$/.test(path))
    if (!unhides) return sweep({ real, objects, at, status, kept })
  }
  throw new Fault('git-failed', 'too many .gitignore files hide one another', {
    hint: 'nothing to do: it is made anew',
  })
}
const maxIgnoreFiles = 100

/** Whether nothing at all is there but the commit's files: often so, and then git need not be asked what is ignored. */
async function isExactly(real: string, objects: ObjectCache, at: CommitSha): Promise<boolean> {
  const files = (await listFiles(objects, at)).map(({ path }) => pathBytes(path).toString('latin1'))
  return holdsExactly(real, new Set(files))
}

async function linksToKeep(store: Store, real: string, { untracked }: Status): Promise<ReadonlySet<string>> {
  const links: string[] = []
  for (const path of untracked.map((name) => name.toString('latin1'))) {
    const found = path.endsWith('/') ? undefined : await lstat(bytesPath(real, path)).catch(() => undefined)
    if (found?.isSymbolicLink() === true) links.push(path)
  }
  return ignoredAsFolders(store, real, links)
}

/** An untracked .gitignore that ignores itself would hide whatever an agent leaves beside it. */
async function hidingIgnoreFiles(place: Place, { ignored }: Status): Promise<readonly string[]> {
  const suspects = ignored.filter((path) => /(?:^|\/)\.gitignore$/.test(path.toString('latin1')))
  if (suspects.length === 0) return []
  const stdin = Buffer.concat(suspects.map((path) => atTop(path.toString('latin1'))))
  const ran = await tryGit(place, ['check-ignore', '--verbose', '-z', '--stdin'], { stdin, env: plainPathspecs })
  const untracked = new Set(suspects.map((path) => path.toString('latin1')))
  return parseIgnoreSources(ran.stdout).flatMap(({ source, path }) =>
    untracked.has(source) ? [path.replace(/^\.\//, '')] : [],
  )
}

/** `<source> <line> <pattern> <path>`, a NUL after each. */
export function parseIgnoreSources(output: Buffer): readonly { readonly source: string; readonly path: string }[] {
  const fields = splitBytes(output, 0).map((field) => field.toString('latin1'))
  return Array.from({ length: Math.floor(fields.length / 4) }, (_, at) => ({
    source: fields[at * 4] ?? '',
    path: fields[at * 4 + 3] ?? '',
  }))
}

/** What git does not see: special files, nested `.git`, folders with nothing in them. */
async function sweep(input: {
  readonly real: string
  readonly objects: ObjectCache
  readonly at: CommitSha
  readonly status: Status
  readonly kept: ReadonlySet<string>
}): Promise<void> {
  const { real, objects, at, status, kept } = input
  const ignored = status.ignored.map((path) => path.toString('latin1').replace(/\/$/, ''))
  const walk = await walkWorkspace(real, new Set([...ignored, ...kept]))
  if (walk.closed.length > 0)
    throw new Fault('git-failed', 'a folder cannot be read', { hint: 'nothing to do: it is made anew' })
  const unseen = [...walk.special, ...walk.gitNames]
  for (const path of unseen) await removeAll(bytesPath(real, path))
  const removed = [...unseen, ...status.untracked.map((path) => path.toString('latin1'))]
  for (const path of new Set([...walk.emptyFolders, ...removed.map(folderOf)])) {
    const item = path === '' ? undefined : await findItem(objects, at, pathText(Buffer.from(path, 'latin1')))
    // The folder of a submodule is empty, and part of the tree.
    if (item?.mode !== '160000') await removeEmpty(real, path)
  }
}

const folderOf = (path: string): string => path.replace(/\/$/, '').split('/').slice(0, -1).join('/')

/** Removes a folder and those above it, as far as nothing is in them. */
async function removeEmpty(real: string, path: string): Promise<void> {
  for (let folder = path; folder !== ''; folder = folderOf(folder)) {
    const gone = await rmdir(bytesPath(real, folder)).then(
      () => true,
      () => false,
    )
    if (!gone) return
  }
}
