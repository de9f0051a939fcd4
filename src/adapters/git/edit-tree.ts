import { Fault } from '../../domain/fault.ts'
import { treeSha, type TreeSha } from '../../domain/ids.ts'
import type { FileMode } from '../../ports/repository.ts'
import { inBatches } from './in-batches.ts'
import { emptyTree, type ObjectCache } from './object-cache.ts'
import { formatTree, type ObjectKind, type TreeItem } from './objects.ts'
import { pathText, treePath } from './path-name.ts'

type WriteObject = (kind: ObjectKind, content: Uint8Array) => Promise<string>

/** What is to stand at a path; `mode` null keeps the mode of a file that is there, else it is 100644. */
export interface NewFile {
  readonly mode: Exclude<FileMode, '160000'> | null
  /** Asked for when it is written, so that not all contents are in memory at once. */
  readonly content: () => Promise<Uint8Array> | Uint8Array
}

/** The edits of one folder: by name, what becomes of the file of that name (null: removed) and of what is below. */
interface FolderEdit {
  readonly names: Map<string, { readonly name: Buffer; file?: NewFile | null; below?: FolderEdit }>
}

interface EditRequest {
  readonly objects: ObjectCache
  readonly write: WriteObject
  readonly from: TreeSha | null
  /** An id of this repository, for the length of its ids. */
  readonly like: string
}

/**
 * A tree like `from` with some files written or removed. Rewrites only the folders along the paths. Removing what is
 * not there, or a folder, changes nothing; a folder that becomes empty is gone.
 * @throws Fault bad-input for a path that cannot stand in a tree, or a file that is also a folder
 */
export async function editTree(
  request: EditRequest & { readonly files: Readonly<Record<string, string | null>> },
): Promise<TreeSha> {
  const edits = Object.entries(request.files).map(([path, text]) => {
    const file: NewFile | null = text === null ? null : { mode: null, content: () => Buffer.from(text) }
    return [treePath(path), file] as const
  })
  return rewriteTree({ ...request, edits })
}

/** The same, by the components of paths, which the caller knows to be good. */
export async function rewriteTree(
  request: EditRequest & { readonly edits: Iterable<readonly [readonly Buffer[], NewFile | null]> },
): Promise<TreeSha> {
  const { write, from, edits, like } = request
  const top = planEdits(edits)
  if (from !== null && top.names.size === 0) return from
  const edited = await editFolder(request, from, top)
  if (edited !== null) return treeSha(edited)
  await write('tree', Buffer.alloc(0))
  return emptyTree(like)
}

function planEdits(edits: Iterable<readonly [readonly Buffer[], NewFile | null]>): FolderEdit {
  const top: FolderEdit = { names: new Map() }
  for (const [parts, file] of edits) {
    let folder = top
    parts.forEach((name, depth) => {
      const key = name.toString('latin1')
      const entry = folder.names.get(key) ?? { name }
      folder.names.set(key, entry)
      if (depth === parts.length - 1) entry.file = file
      else folder = entry.below ??= { names: new Map() }
    })
  }
  refuseFilesThatAreFolders(top)
  return top
}

function refuseFilesThatAreFolders({ names }: FolderEdit): void {
  for (const { name, file, below } of names.values()) {
    if (below === undefined) continue
    if (isWritten(file) && writes(below)) throw fileAndFolder(pathText(name))
    refuseFilesThatAreFolders(below)
  }
}

const isWritten = (file: NewFile | null | undefined): file is NewFile => file !== null && file !== undefined
const writes = ({ names }: FolderEdit): boolean =>
  [...names.values()].some(({ file, below }) => isWritten(file) || (below !== undefined && writes(below)))

type Tools = Pick<EditRequest, 'objects' | 'write'>

/** The id of the edited folder; null when nothing is left in it. */
async function editFolder(tools: Tools, tree: string | null, edit: FolderEdit): Promise<string | null> {
  const items = new Map<string, TreeItem>()
  for (const item of tree === null ? [] : await tools.objects.items(tree)) items.set(item.name.toString('latin1'), item)

  for (const batch of inBatches([...edit.names], filesAtATime)) {
    const edited = await Promise.all(
      batch.map(async ([key, entry]) => [key, await editItem(tools, { old: items.get(key), ...entry })] as const),
    )
    for (const [key, item] of edited) {
      if (item === undefined) items.delete(key)
      else items.set(key, item)
    }
  }
  return items.size === 0 ? null : tools.write('tree', formatTree([...items.values()]))
}
const filesAtATime = 64

async function editItem(
  tools: Tools,
  {
    old,
    name,
    file,
    below,
  }: {
    readonly old: TreeItem | undefined
    readonly name: Buffer
    readonly file?: NewFile | null
    readonly below?: FolderEdit
  },
): Promise<TreeItem | undefined> {
  if (isWritten(file)) {
    const mode = file.mode ?? (old?.mode === '100755' ? '100755' : '100644')
    return { name, mode, sha: await tools.write('blob', await file.content()) }
  }
  const kept = file === null && old?.mode !== '40000' ? undefined : old
  if (below === undefined) return kept
  const isFolder = kept?.mode === '40000'
  if (!isFolder && !writes(below)) return kept
  const sha = await editFolder(tools, isFolder ? kept.sha : null, below)
  return sha === null ? undefined : { name, mode: '40000', sha }
}

const fileAndFolder = (path: string): Fault =>
  new Fault('bad-input', `${JSON.stringify(path)} would be a file and a folder at once`, {
    hint: 'write one or the other',
  })
