import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommitSha } from '../../domain/ids.ts'
import { copyIndex } from './copy-index.ts'
import type { Place } from './run-git.ts'
import type { WorkspacePlace } from './workspace-place.ts'

/**
 * How git sees a workspace (W1): our index, and enough of a git folder, as linked working trees have it. All else is
 * the store's. HEAD is the commit the workspace was opened at.
 */
const gitFolderOf = ({ about }: WorkspacePlace): string => join(about, 'git')
export const indexOf = (workspace: WorkspacePlace): string => join(gitFolderOf(workspace), 'index')

const placeOf = ({ real, store }: WorkspacePlace, gitFolder: string): Place => ({
  cwd: real,
  env: { ...store.place.env, GIT_DIR: gitFolder, GIT_WORK_TREE: real, GIT_INDEX_FILE: join(gitFolder, 'index') },
})

/** For opening it: HEAD moves to the commit. The index is still what it was. */
export function headTo(workspace: WorkspacePlace, at: CommitSha): Place {
  const gitFolder = gitFolderOf(workspace)
  if (headIn(gitFolder) !== at) writeFolder(gitFolder, workspace, at)
  return placeOf(workspace, gitFolder)
}

/** For reading it, when it was opened at that commit; undefined when it was another one. */
export function placeAt(workspace: WorkspacePlace, at: CommitSha): Place | undefined {
  const gitFolder = gitFolderOf(workspace)
  return headIn(gitFolder) === at ? placeOf(workspace, gitFolder) : undefined
}

/** Runs git on the workspace's files with HEAD at any commit and a copy of the index, which is gone afterwards. */
export async function withOwnIndex<T>(
  workspace: WorkspacePlace,
  head: CommitSha,
  run: (place: Place, index: string) => Promise<T>,
): Promise<T> {
  const own = join(workspace.about, `run-${randomBytes(6).toString('hex')}`)
  try {
    writeFolder(own, workspace, head)
    copyIndex(indexOf(workspace), join(own, 'index'))
    return await run(placeOf(workspace, own), join(own, 'index'))
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}

function headIn(gitFolder: string): string | undefined {
  try {
    return readFileSync(join(gitFolder, 'HEAD'), 'latin1').trim()
  } catch {
    return undefined
  }
}

function writeFolder(gitFolder: string, { store }: WorkspacePlace, head: CommitSha): void {
  mkdirSync(gitFolder, { recursive: true })
  writeFileSync(join(gitFolder, 'commondir'), `${store.path}\n`)
  const aside = join(gitFolder, `HEAD-${randomBytes(6).toString('hex')}`)
  writeFileSync(aside, `${head}\n`)
  renameSync(aside, join(gitFolder, 'HEAD'))
}
