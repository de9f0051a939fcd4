import type { CommitSha, TreeSha } from '../../domain/ids.ts'
import type { FileChange, FileMode, TreeEntry } from '../../ports/repository.ts'
import type { ObjectCache } from './object-cache.ts'
import { compareItems, type TreeItem } from './objects.ts'
import { pathBytes, pathText, splitBytes } from './path-name.ts'

/** Questions about trees, answered by walking only the folders that matter. Nothing here writes. */
type At = CommitSha | TreeSha

/** What stands at a path; undefined when nothing does. */
export async function findItem(objects: ObjectCache, at: At, path: string): Promise<TreeItem | undefined> {
  const parts = splitBytes(pathBytes(path), 0x2f)
  let item: TreeItem = { name: Buffer.alloc(0), mode: '40000', sha: await objects.treeOf(at) }
  for (const part of parts) {
    if (item.mode !== '40000') return undefined
    const found = (await objects.items(item.sha)).find(({ name }) => name.equals(part))
    if (found === undefined) return undefined
    item = found
  }
  return item
}

export const isRegular = (item: TreeItem): boolean => item.mode === '100644' || item.mode === '100755'

/** Every file below a tree, or below one of its folders, in git's order. */
export async function listFiles(objects: ObjectCache, at: At, under?: string): Promise<readonly TreeEntry[]> {
  const top = under?.replace(/\/+$/, '') ?? ''
  if (top === '') return listBelow(objects, await objects.treeOf(at), noPath)
  const item = await findItem(objects, at, top)
  if (item === undefined) return []
  if (item.mode !== '40000') return [{ path: pathText(pathBytes(top)), mode: item.mode, sha: item.sha }]
  return listBelow(objects, item.sha, pathBytes(top))
}

async function listBelow(objects: ObjectCache, tree: string, path: Buffer): Promise<readonly TreeEntry[]> {
  const items = await objects.items(tree)
  const listed = await Promise.all(
    items.map(async ({ name, mode, sha }): Promise<readonly TreeEntry[]> => {
      const place = join(path, name)
      return mode === '40000' ? listBelow(objects, sha, place) : [{ path: pathText(place), mode, sha }]
    }),
  )
  return listed.flat()
}

/** File by file, in git's order; folders with one id on both sides are not looked into. */
export async function compareTrees(objects: ObjectCache, from: At, to: At): Promise<readonly FileChange[]> {
  const [before, after] = await Promise.all([objects.treeOf(from), objects.treeOf(to)])
  const found = await compareFolders(objects, before, after, noPath)
  return found
    .toSorted((a, b) => Buffer.compare(a.path, b.path))
    .map(({ path, before: was, after: is }) => ({
      path: pathText(path),
      kind: was === null ? 'added' : is === null ? 'deleted' : 'modified',
      before: was,
      after: is,
    }))
}

interface Difference {
  readonly path: Buffer
  readonly before: Side | null
  readonly after: Side | null
}
type Side = { readonly mode: FileMode; readonly sha: string }

async function compareFolders(
  objects: ObjectCache,
  before: string | null,
  after: string | null,
  path: Buffer,
): Promise<readonly Difference[]> {
  if (before === after) return []
  const none: readonly TreeItem[] = []
  const [left, right] = await Promise.all([
    before === null ? none : objects.items(before),
    after === null ? none : objects.items(after),
  ])
  const found = await Promise.all(
    pair(left, right).map(async ([was, is]): Promise<readonly Difference[]> => {
      if (was?.sha === is?.sha && was?.mode === is?.mode) return []
      const place = join(path, (was ?? is)?.name ?? noPath)
      const below = await compareFolders(objects, folderOf(was), folderOf(is), place)
      const [old, now] = [fileOf(was), fileOf(is)]
      return old === null && now === null ? below : [{ path: place, before: old, after: now }, ...below]
    }),
  )
  return found.flat()
}

/** Items of one name together, whatever they are: a file that became a folder is a deletion and additions. */
function pair(
  left: readonly TreeItem[],
  right: readonly TreeItem[],
): readonly (readonly [TreeItem | undefined, TreeItem | undefined])[] {
  const rest = new Map(right.map((item) => [item.name.toString('latin1'), item]))
  const pairs = left.map((item): readonly [TreeItem | undefined, TreeItem | undefined] => {
    const key = item.name.toString('latin1')
    const other = rest.get(key)
    rest.delete(key)
    return [item, other]
  })
  return [...pairs, ...[...rest.values()].toSorted(compareItems).map((item) => [undefined, item] as const)]
}

const folderOf = (item: TreeItem | undefined): string | null => (item?.mode === '40000' ? item.sha : null)
const fileOf = (item: TreeItem | undefined): Side | null =>
  item === undefined || item.mode === '40000' ? null : { mode: item.mode, sha: item.sha }

const noPath = Buffer.alloc(0)
const join = (path: Buffer, name: Buffer): Buffer =>
  path.length === 0 ? name : Buffer.concat([path, Buffer.from('/'), name])
