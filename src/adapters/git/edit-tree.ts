import { Fault } from '../../domain/fault.ts'
import { treeSha, type TreeSha } from '../../domain/ids.ts'
import { emptyTree, type ObjectCache } from './object-cache.ts'
import { formatTree, type ObjectKind, type TreeItem } from './objects.ts'
import { pathText, treePath } from './path-name.ts'

/** The edits of one folder: by name, what becomes of the file of that name and of what is below it. */
interface FolderEdit {
  readonly names: Map<string, { readonly name: Buffer; file?: string | null; below?: FolderEdit }>
}
type WriteObject = (kind: ObjectKind, content: Uint8Array) => Promise<string>

/**
 * A tree like `from` with some files written or removed. Rewrites only the folders along the paths. Removing what is
 * not there, or a folder, changes nothing; a folder that becomes empty is gone.
 * @throws Fault bad-input for a path that cannot stand in a tree, or a file that is also a folder
 */
export async function editTree(input: {
  readonly objects: ObjectCache
  readonly write: WriteObject
  readonly from: TreeSha | null
  readonly files: Readonly<Record<string, string | null>>
  /** An id of this repository, for the length of its ids. */
  readonly like: string
}): Promise<TreeSha> {
  const { objects, write, from, files, like } = input
  const top = planEdits(files)
  if (from !== null && top.names.size === 0) return from
  const edited = await editFolder({ objects, write }, from, top)
  if (edited !== null) return treeSha(edited)
  await write('tree', Buffer.alloc(0))
  return emptyTree(like)
}

function planEdits(files: Readonly<Record<string, string | null>>): FolderEdit {
  const top: FolderEdit = { names: new Map() }
  for (const [path, text] of Object.entries(files)) {
    const parts = treePath(path)
    let folder = top
    parts.forEach((name, depth) => {
      const key = name.toString('latin1')
      const entry = folder.names.get(key) ?? { name }
      folder.names.set(key, entry)
      if (depth === parts.length - 1) entry.file = text
      else folder = entry.below ??= { names: new Map() }
    })
  }
  refuseFilesThatAreFolders(top)
  return top
}

function refuseFilesThatAreFolders({ names }: FolderEdit): void {
  for (const { name, file, below } of names.values()) {
    if (below === undefined) continue
    if (typeof file === 'string' && writes(below)) throw fileAndFolder(pathText(name))
    refuseFilesThatAreFolders(below)
  }
}

const writes = ({ names }: FolderEdit): boolean =>
  [...names.values()].some(({ file, below }) => typeof file === 'string' || (below !== undefined && writes(below)))

/** The id of the edited folder; null when nothing is left in it. */
async function editFolder(
  tools: { readonly objects: ObjectCache; readonly write: WriteObject },
  tree: string | null,
  edit: FolderEdit,
): Promise<string | null> {
  const items = new Map<string, TreeItem>()
  for (const item of tree === null ? [] : await tools.objects.items(tree)) items.set(item.name.toString('latin1'), item)

  const edited = await Promise.all(
    [...edit.names].map(async ([key, { name, file, below }]) => {
      const old = items.get(key)
      return [key, await editItem(tools, { old, name, file, below })] as const
    }),
  )
  for (const [key, item] of edited) {
    if (item === undefined) items.delete(key)
    else items.set(key, item)
  }
  return items.size === 0 ? null : tools.write('tree', formatTree([...items.values()]))
}

async function editItem(
  tools: { readonly objects: ObjectCache; readonly write: WriteObject },
  {
    old,
    name,
    file,
    below,
  }: {
    readonly old: TreeItem | undefined
    readonly name: Buffer
    readonly file: string | null | undefined
    readonly below: FolderEdit | undefined
  },
): Promise<TreeItem | undefined> {
  if (typeof file === 'string') {
    const mode = old?.mode === '100755' ? '100755' : '100644'
    return { name, mode, sha: await tools.write('blob', Buffer.from(file)) }
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
