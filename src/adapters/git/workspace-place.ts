import { createHash, randomBytes } from 'node:crypto'
import { lstat, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { z } from 'zod'
import { Fault } from '../../domain/fault.ts'
import type { CommitSha } from '../../domain/ids.ts'
import { copyIndex } from './copy-index.ts'
import type { Place } from './run-git.ts'
import type { Store } from './store.ts'

/**
 * A workspace as the host sees it: plain files in a folder, and beside the store an index and a note of our own about
 * it. The workspace's `.git` belongs to the agent: it is written and never read, and git never runs with it.
 *
 * Invariants:
 *  W1  git runs with a git folder of our own making (`run-*`: HEAD, commondir, index), never with the workspace's.
 *  W2  a workspace is where it was when it was made: nothing is done in a folder that a symlink now leads to.
 *  W3  the kept index is replaced whole, and never looks younger than the files it describes.
 */
export interface WorkspacePlace {
  /** The folder, with no symlink on the way to it. */
  readonly real: string
  readonly store: Store
  /** Our folder about it. */
  readonly about: string
}

const noteSchema = z.strictObject({
  version: z.literal(1),
  real: z.string(),
  /** What its `.git` holds; null while that is being made. */
  git: z
    .strictObject({
      at: z.string(),
      shallow: z.array(z.string()),
      packs: z.array(z.strictObject({ name: z.string(), sizeBytes: z.number(), mtimeMs: z.number() })),
    })
    .nullable(),
})
export type WorkspaceNote = z.infer<typeof noteSchema>

/**
 * Finds where a workspace is (W2). Makes its parent folders when it is to be opened.
 * @throws Fault bad-input for a relative path; git-failed when a symlink stands in the way, or nothing is there
 */
export async function findWorkspace(
  store: Store,
  folder: string,
  purpose: 'open' | 'read',
): Promise<WorkspacePlace & { readonly note: WorkspaceNote | undefined }> {
  if (!isAbsolute(folder))
    throw new Fault('bad-input', `the workspace ${folder} is no absolute path`, { hint: 'give its whole path' })
  const named = resolve(folder)
  if (purpose === 'open') await mkdir(dirname(named), { recursive: true })
  const parent = await realpath(dirname(named)).catch(() => undefined)
  if (parent === undefined) throw gone(named)
  const real = join(parent, basename(named))
  const about = join(store.workspaces, createHash('sha256').update(named).digest('hex').slice(0, 32))
  const note = await readNote(about)
  if (note !== undefined && note.real !== real) throw ledAway(named, real, note.real)

  const found = await lstat(real).catch(() => undefined)
  if (purpose === 'open' && found !== undefined && !found.isDirectory()) await rm(real, { force: true })
  if (purpose === 'read' && found === undefined) throw gone(named)
  if (purpose === 'read' && found?.isDirectory() !== true) throw ledAway(named, 'somewhere else', real)
  await mkdir(about, { recursive: true })
  return { real, store, about, note }
}

/** W2 once more, after git was there: a folder that was swapped meanwhile makes what was done worthless. */
export async function confirmWorkspace({ real }: WorkspacePlace): Promise<void> {
  const [found, resolved] = await Promise.all([
    lstat(real).catch(() => undefined),
    realpath(real).catch(() => undefined),
  ])
  if (found?.isDirectory() !== true || resolved !== real) throw ledAway(real, resolved ?? 'nothing', real)
}

async function readNote(about: string): Promise<WorkspaceNote | undefined> {
  const text = await readFile(join(about, 'note.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return noteSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

export async function writeNote({ about, real }: WorkspacePlace, git: WorkspaceNote['git']): Promise<void> {
  const note: WorkspaceNote = { version: 1, real, git }
  const aside = join(about, `note-${randomBytes(6).toString('hex')}`)
  await writeFile(aside, JSON.stringify(note))
  await rename(aside, join(about, 'note.json'))
}

/** A git folder of ours for one look at a workspace, with an index of its own. */
export interface WorkspaceRun {
  readonly place: Place
  readonly index: string
}

/**
 * Runs git on a workspace's files with HEAD at a commit. Starts from the kept index when there is one: files that did
 * not change since are not read again. Several runs at once do not disturb each other.
 */
export async function inWorkspace<T>(
  { real, store, about }: WorkspacePlace,
  head: CommitSha,
  run: (git: WorkspaceRun) => Promise<T>,
): Promise<T> {
  const own = join(about, `run-${process.pid}-${randomBytes(6).toString('hex')}`)
  const index = join(own, 'index')
  try {
    await mkdir(own, { recursive: true })
    await Promise.all([
      writeFile(join(own, 'HEAD'), `${head}\n`),
      writeFile(join(own, 'commondir'), `${store.path}\n`),
      copyIndex(join(about, 'index'), index),
    ])
    const env = { ...store.place.env, GIT_DIR: own, GIT_WORK_TREE: real, GIT_INDEX_FILE: index }
    return await run({ place: { cwd: real, env }, index })
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

const gone = (folder: string): Fault =>
  new Fault('git-failed', `the workspace ${folder} is not there`, {
    hint: 'open it again: it is rebuilt from its last checkpoint',
    retryable: true,
  })

const ledAway = (folder: string, now: string, before: string): Fault =>
  new Fault('git-failed', `the workspace ${folder} leads to ${now}, and was made at ${before}`, {
    hint: `a symlink took its place or a parent's; remove that symlink, and the workspace is rebuilt`,
  })
