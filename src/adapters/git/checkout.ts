import { randomBytes } from 'node:crypto'
import { lstat, mkdir, readdir, rm } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { Fault } from '../../domain/fault.ts'
import type { TreeSha } from '../../domain/ids.ts'
import { git } from './run-git.ts'
import type { Store } from './store.ts'

/**
 * Writes the files of a tree into an empty or new folder. What .gitattributes says about line ends counts, as in any
 * clone; filters never run.
 * @throws Fault bad-input when something is in the folder already; git-failed, disk-full
 */
export async function writeCheckout(store: Store, at: TreeSha, folder: string): Promise<void> {
  if (!isAbsolute(folder)) throw notEmpty(folder, 'its path is not absolute')
  await mkdir(folder, { recursive: true })
  if (!(await lstat(folder)).isDirectory()) throw notEmpty(folder, 'it is a symlink or a file')
  if ((await readdir(folder)).length > 0) throw notEmpty(folder, 'it is not empty')
  const index = join(store.workspaces, `checkout-${randomBytes(8).toString('hex')}`)
  const env = { GIT_WORK_TREE: folder, GIT_INDEX_FILE: index }
  try {
    await git({ cwd: folder, env: store.place.env }, ['read-tree', '--reset', '-u', at], { env })
  } finally {
    await Promise.all([rm(index, { force: true }), rm(`${index}.lock`, { force: true })])
  }
}

const notEmpty = (folder: string, why: string): Fault =>
  new Fault('bad-input', `nothing can be checked out into ${folder}: ${why}`, { hint: 'name a new or empty folder' })
