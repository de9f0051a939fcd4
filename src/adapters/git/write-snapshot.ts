import { constants, readlinkSync, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { Fault } from '../../domain/fault.ts'
import { treeSha, type CommitSha, type TreeSha } from '../../domain/ids.ts'
import { rewriteTree, type NewFile } from './edit-tree.ts'
import type { Problems, WorkspaceFindings } from './examine-workspace.ts'
import { inBatches } from './in-batches.ts'
import type { ObjectCache } from './object-cache.ts'
import type { ObjectKind } from './objects.ts'
import { splitBytes } from './path-name.ts'
import { git, tryGit, type Place } from './run-git.ts'
import { bytesPath } from './walk-workspace.ts'
import type { WorkspacePlace } from './workspace-place.ts'
import { placeAt, withOwnIndex } from './workspace-run.ts'

export type WriteObject = (kind: ObjectKind, content: Uint8Array) => Promise<string>

interface WriteRequest {
  readonly objects: ObjectCache
  readonly write: WriteObject
  readonly since: CommitSha
  readonly fileLimitBytes: number
}

/**
 * The tree of `since` with what was found. Where nothing says otherwise a file's bytes are the blob's, and no process
 * is needed; where .gitattributes may, or where names need git's judgement, git does it.
 */
export async function writeSnapshot(
  request: WriteRequest,
  workspace: WorkspacePlace,
  findings: WorkspaceFindings,
): Promise<TreeSha> {
  const { add, remove, hasAttributes } = findings
  const before = await request.objects.treeOf(request.since)
  if (add.size === 0 && remove.size === 0) return before
  const delicate = [...add].some(([path, file]) => file.isSymbolicLink() && isDelicate(path))
  if (hasAttributes || delicate) return writeWithGit(request, workspace, findings)
  const edits = [
    ...[...remove].map((path) => [partsOf(path), null] as const),
    ...[...add].map(
      ([path, file]) => [partsOf(path), fileAt({ ...request, real: workspace.real, path, file })] as const,
    ),
  ]
  return rewriteTree({ objects: request.objects, write: request.write, from: before, edits, like: before })
}

const partsOf = (path: string): readonly Buffer[] => splitBytes(Buffer.from(path, 'latin1'), 0x2f)

/** Git takes no symlink for a file that it reads itself, by any of the names some system knows it under. */
const isDelicate = (path: string): boolean =>
  /(?:^|\/)(?:\.git[^/]*|gi[^/]*~\d[^/]*|[^/]*[^\x20-\x7e][^/]*)$/i.test(path)

function fileAt(input: {
  readonly real: string
  readonly path: string
  readonly file: Stats
  readonly fileLimitBytes: number
}): NewFile {
  const { real, path, file, fileLimitBytes } = input
  const place = bytesPath(real, path)
  if (file.isSymbolicLink()) return { mode: '120000', content: () => readlinkSync(place, { encoding: 'buffer' }) }
  return {
    mode: (file.mode & constants.S_IXUSR) === 0 ? '100644' : '100755',
    content: () => readPlain(place, fileLimitBytes),
  }
}

/** What was a plain file of a fair size a moment ago, and nothing else: it is opened without following a symlink. */
async function readPlain(place: Buffer, limitBytes: number): Promise<Uint8Array> {
  const handle = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(changing)
  try {
    const now = await handle.stat()
    if (!now.isFile() || now.size > limitBytes) return changing()
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

function changing(cause?: unknown): never {
  throw new Fault('git-failed', 'a file of the workspace changed while it was read', {
    hint: 'something still writes there; take the snapshot again once it has ended',
    retryable: true,
    cause,
  })
}

async function writeWithGit(
  { since }: WriteRequest,
  workspace: WorkspacePlace,
  { add, remove, problems }: WorkspaceFindings,
): Promise<TreeSha> {
  return withOwnIndex(workspace, since, async (place) => {
    if (placeAt(workspace, since) === undefined) await git(place, ['read-tree', '--reset', since])
    for (const paths of inBatches([...remove], 10_000))
      await git(place, ['update-index', '--force-remove', '-z', '--stdin'], { stdin: nulEnded(paths) })
    await addFiles(place, [...add.keys()], problems)
    const tree = await git(place, ['write-tree'])
    return treeSha(tree.toString('latin1').trim())
  })
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
    if (!(error instanceof Fault) || error.code !== 'git-failed') throw error
    problems.add('special-file', paths[0] ?? '', `git cannot take it: ${error.message}`)
  })
}

const nulEnded = (paths: readonly string[]): Buffer => Buffer.from(paths.map((path) => `${path}\0`).join(''), 'latin1')
