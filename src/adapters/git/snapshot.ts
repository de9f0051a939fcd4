import { linkSync, renameSync } from 'node:fs'
import type { CommitSha } from '../../domain/ids.ts'
import type { Snapshot } from '../../ports/repository.ts'
import { examineWorkspace } from './examine-workspace.ts'
import type { ObjectCache } from './object-cache.ts'
import { git } from './run-git.ts'
import { readStatus, type Status } from './status.ts'
import type { Store } from './store.ts'
import { confirmWorkspace, findWorkspace, type WorkspacePlace } from './workspace-place.ts'
import { indexOf, placeAt, withOwnIndex } from './workspace-run.ts'
import { writeSnapshot, type WriteObject } from './write-snapshot.ts'

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
  readonly write: WriteObject
  readonly folder: string
  readonly since: CommitSha
  readonly fileLimitBytes: number
}

export async function takeSnapshot(request: SnapshotRequest): Promise<Snapshot> {
  const { store, folder, since } = request
  const workspace = findWorkspace(store, folder, 'read')
  await request.objects.treeOf(since) // a commit that is not there is told as such
  const status = await statusSince(workspace, since)
  const findings = await examineWorkspace(request, workspace.real, status)
  const tree = await writeSnapshot(request, workspace, findings)
  confirmWorkspace(workspace)
  return { tree, problems: findings.problems.list() }
}

/**
 * How the files differ from `since`. Asked with the kept index when the workspace was opened there: that is one
 * process, and git may note in it which files it found unchanged. Otherwise with a copy that is brought to `since`.
 */
async function statusSince(workspace: WorkspacePlace, since: CommitSha): Promise<Status> {
  const place = placeAt(workspace, since)
  const first = place === undefined ? undefined : await readStatus(place)
  if (first?.staged === false) return first
  return withOwnIndex(workspace, since, async (own, index) => {
    await git(own, ['read-tree', '--reset', since])
    const status = await readStatus(own)
    if (place !== undefined) keep(index, indexOf(workspace))
    return status
  })
}

/** W3: whole, and with the times git gave it. */
function keep(index: string, kept: string): void {
  const aside = `${index}-kept`
  linkSync(index, aside)
  renameSync(aside, kept)
}
