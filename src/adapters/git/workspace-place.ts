import { createHash, randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { z } from 'zod'
import { Fault } from '../../domain/fault.ts'
import type { Store } from './store.ts'

/**
 * A workspace as the host sees it: plain files in a folder, and beside the store an index and a note of our own about
 * it. The workspace's `.git` belongs to the agent: it is written and never read, and git never runs with it.
 *
 * Invariants:
 *  W1  git runs with a git folder of our own making (HEAD, commondir, index), never with the workspace's.
 *  W2  a workspace is where it was when it was made: nothing is done in a folder that a symlink now leads to.
 *  W3  our index is replaced whole, and never looks younger than the files it describes.
 *
 * Small files are read and written synchronously: that takes microseconds, a trip to the thread pool many times that.
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
  /** What we put into its `.git`. */
  git: z.strictObject({
    at: z.string(),
    shallow: z.array(z.string()),
    packs: z.array(z.strictObject({ name: z.string(), sizeBytes: z.number(), mtimeMs: z.number() })),
  }),
})
export type WorkspaceNote = z.infer<typeof noteSchema>

/**
 * Finds where a workspace is (W2). Makes its parent folders when it is to be opened.
 * @throws Fault bad-input for a relative path; git-failed when a symlink stands in the way, or nothing is there
 */
export function findWorkspace(
  store: Store,
  folder: string,
  purpose: 'open' | 'read',
): WorkspacePlace & { readonly note: WorkspaceNote | undefined } {
  if (!isAbsolute(folder))
    throw new Fault('bad-input', `the workspace ${folder} is no absolute path`, { hint: 'give its whole path' })
  const named = resolve(folder)
  if (purpose === 'open') mkdirSync(dirname(named), { recursive: true })
  const parent = realPath(dirname(named))
  if (parent === undefined) throw gone(named)
  const real = join(parent, basename(named))
  const about = join(store.workspaces, createHash('sha256').update(named).digest('hex').slice(0, 32))
  const note = readNote(about)
  if (note !== undefined && note.real !== real) throw ledAway(named, real, note.real)

  const found = lstatSync(real, { throwIfNoEntry: false })
  if (purpose === 'open' && found !== undefined && !found.isDirectory()) rmSync(real, { force: true })
  if (purpose === 'read' && found === undefined) throw gone(named)
  if (purpose === 'read' && found?.isDirectory() !== true) throw ledAway(named, 'somewhere else', real)
  mkdirSync(about, { recursive: true })
  return { real, store, about, note }
}

/** W2 once more, after git was there: a folder that was swapped meanwhile makes what was done worthless. */
export function confirmWorkspace({ real }: WorkspacePlace): void {
  const resolved = realPath(real)
  if (resolved !== real || lstatSync(real, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw ledAway(real, resolved ?? 'nothing', real)
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path)
  } catch {
    return undefined
  }
}

function readNote(about: string): WorkspaceNote | undefined {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(join(about, 'note.json'), 'utf8')))
  } catch {
    return undefined
  }
}

export function writeNote({ about, real }: WorkspacePlace, git: WorkspaceNote['git']): void {
  const note: WorkspaceNote = { version: 1, real, git }
  const aside = join(about, `note-${randomBytes(6).toString('hex')}`)
  writeFileSync(aside, JSON.stringify(note))
  renameSync(aside, join(about, 'note.json'))
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
