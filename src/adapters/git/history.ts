import { commitSha, type CommitSha, type TreeSha } from '../../domain/ids.ts'
import type { CommitInfo, History } from '../../ports/repository.ts'
import type { OpenFolder } from './git-folder.ts'
import { inBatches } from './in-batches.ts'
import { mergeCommits } from './merge.ts'
import { writePatch } from './patch.ts'
import { pathBytes } from './path-name.ts'
import { compareTrees, findItem, isRegular, listFiles } from './read-tree.ts'
import { git, gitFault, tryGit, type Place } from './run-git.ts'

/** Runs git where it may write objects: in the store itself, or in a throw-away folder for one that is only read. */
export type InScratch = <T>(run: (place: Place) => Promise<T>) => Promise<T>
/** How names of refs and revisions are found; differs between a store, which keeps a hub's refs aside, and the rest. */
export type Names = Pick<History, 'head' | 'resolve'>

/** Everything that is read the same way everywhere. */
export function createHistory({ folder, objects }: OpenFolder, names: Names, inScratch: InScratch): History {
  const { place } = folder
  const readBytes = async (at: CommitSha | TreeSha, path: string): Promise<Buffer | undefined> => {
    const item = await findItem(objects, at, path)
    return item !== undefined && isRegular(item) ? objects.blob(item.sha) : undefined
  }
  return {
    head: names.head,
    resolve: names.resolve,
    commitInfo: (commit) => objects.commit(commit),
    treeOf: async (commit) => objects.treeOf(commit),
    list: (at, under) => listFiles(objects, at, under),
    changes: (from, to) => compareTrees(objects, from, to),
    patch: (from, to, options) => inScratch((scratch) => writePatch(scratch, from, to, options)),
    merge: (ours, theirs) => inScratch((scratch) => mergeCommits(scratch, ours, theirs)),

    async read(at, path) {
      const bytes = await readBytes(at, path)
      return bytes?.toString('utf8')
    },

    async readMany(at, paths) {
      const found = await Promise.all(paths.map(async (path) => [path, await readBytes(at, path)] as const))
      return new Map(found.flatMap(([path, bytes]) => (bytes === undefined ? [] : [[path, bytes] as const])))
    },

    async commits(from, to, options) {
      if (from === to) return []
      const range = from === null ? [to] : [to, `^${from}`]
      const touching = options === undefined ? [] : [options.touching].filter((path) => pathBytes(path).includes(path))
      const listed = await git(place, ['rev-list', '--first-parent', '--reverse', ...range, '--', ...touching])
      const found: CommitInfo[] = []
      for (const batch of inBatches(parseIds(listed), 512))
        found.push(...(await Promise.all(batch.map((sha) => objects.commit(sha)))))
      return found
    },

    async isAncestor(ancestor, of) {
      if (ancestor === of) return true
      const args = ['merge-base', '--is-ancestor', ancestor, of]
      const ran = await tryGit(place, args)
      if (ran.exitCode > 1) throw await gitFault(args, ran, folder.common)
      return ran.exitCode === 0
    },
  }
}

/** Ids, one a line. */
export const parseIds = (output: Buffer): readonly CommitSha[] =>
  output
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map(commitSha)
