import { createHash } from 'node:crypto'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { commitSha, treeSha, type CommitSha, type TreeSha } from '../../src/domain/ids.ts'
import type { FileChange, FileMode, Repository } from '../../src/ports/repository.ts'

/** Text, bytes, a symlink, a program, or a submodule. */
export type MemoryFile =
  | string
  | Uint8Array
  | { readonly link: string }
  | { readonly executable: string }
  | { readonly submodule: string }
export type MemoryFiles = Readonly<Record<string, MemoryFile>>

interface Stored {
  readonly mode: FileMode
  readonly sha: string
  readonly bytes: Uint8Array
}

/** Trees in memory, for what only reads them; every commit is its tree. Methods that need git are not there. */
export interface MemoryRepository extends Pick<
  Repository,
  'treeOf' | 'read' | 'readMany' | 'list' | 'changes' | 'patch' | 'checkout'
> {
  add(files: MemoryFiles): { readonly commit: CommitSha; readonly tree: TreeSha }
}

export function memoryRepository(): MemoryRepository & Repository {
  const trees = new Map<string, ReadonlyMap<string, Stored>>()
  const filesOf = (at: string): ReadonlyMap<string, Stored> => {
    const found = trees.get(at)
    if (found === undefined) throw new Error(`there is no tree ${at}`)
    return found
  }
  const readable = (at: string, path: string) => {
    const file = filesOf(at).get(path)
    return file?.mode.startsWith('100') === true ? file : undefined
  }

  const present: MemoryRepository = {
    add(files) {
      const stored = new Map(
        Object.entries(files)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([path, file]) => [path, store(file)] as const),
      )
      const sha = hash(JSON.stringify(Array.from(stored, ([path, { mode, sha: blob }]) => [path, mode, blob])))
      trees.set(sha, stored)
      return { commit: commitSha(sha), tree: treeSha(sha) }
    },
    treeOf: async (commit) => treeSha(commit),
    read: async (at, path) => {
      const file = readable(at, path)
      return file === undefined ? undefined : new TextDecoder().decode(file.bytes)
    },
    readMany: async (at, paths) =>
      new Map(
        paths.flatMap((path) => {
          const file = readable(at, path)
          return file === undefined ? [] : [[path, file.bytes] as const]
        }),
      ),
    list: async (at, under) =>
      Array.from(filesOf(at), ([path, { mode, sha }]) => ({ path, mode, sha })).filter(
        ({ path }) => under === undefined || path.startsWith(`${under}/`),
      ),
    changes: async (from, to) => compare(filesOf(from), filesOf(to)),
    patch: async (_from, to, { paths = [] }) =>
      paths
        .map((path) => new TextDecoder().decode(filesOf(to).get(path)?.bytes))
        .map((text) => `diff --git a b\n@@ -0,0 +1 @@\n+${text}\n\\ No newline at end of file\n`)
        .join(''),
    async checkout(at, folder) {
      for (const [path, { mode, bytes }] of filesOf(at)) {
        await mkdir(dirname(join(folder, path)), { recursive: true })
        if (mode === '120000') await symlink(new TextDecoder().decode(bytes), join(folder, path))
        else if (mode !== '160000')
          await writeFile(join(folder, path), bytes, { mode: mode === '100755' ? 0o755 : 0o644 })
      }
    },
  }
  const absent = (): never => {
    throw new Error('the repository in memory cannot do this')
  }
  return {
    ...present,
    hub: 'memory',
    head: absent,
    resolve: absent,
    commits: absent,
    commitInfo: absent,
    isAncestor: absent,
    merge: absent,
    fetch: absent,
    defaultBranch: absent,
    openWorkspace: absent,
    snapshot: absent,
    edit: absent,
    commit: absent,
    push: absent,
    close: async () => undefined,
  }
}

const hash = (content: string | Uint8Array): string => createHash('sha1').update(content).digest('hex')

function store(file: MemoryFile): Stored {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  const as = (mode: FileMode, bytes: Uint8Array): Stored => ({ mode, bytes, sha: hash(bytes) })
  if (typeof file === 'string') return as('100644', encode(file))
  if (file instanceof Uint8Array) return as('100644', file)
  if ('link' in file) return as('120000', encode(file.link))
  return 'executable' in file ? as('100755', encode(file.executable)) : as('160000', encode(file.submodule))
}

function compare(before: ReadonlyMap<string, Stored>, after: ReadonlyMap<string, Stored>): readonly FileChange[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].toSorted()
  const side = (file: Stored | undefined) => (file === undefined ? null : { mode: file.mode, sha: file.sha })
  return paths.flatMap((path): readonly FileChange[] => {
    const [was, is] = [side(before.get(path)), side(after.get(path))]
    if (was?.sha === is?.sha && was?.mode === is?.mode) return []
    return [{ path, kind: was === null ? 'added' : is === null ? 'deleted' : 'modified', before: was, after: is }]
  })
}
