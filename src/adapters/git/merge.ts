import { treeSha, type CommitSha } from '../../domain/ids.ts'
import type { Merge } from '../../ports/repository.ts'
import { pathText, splitBytes } from './path-name.ts'
import { gitFault, tryGit, type Place } from './run-git.ts'

/** @throws Fault git-failed, also for two commits with no history in common */
export async function mergeCommits(place: Place, ours: CommitSha, theirs: CommitSha): Promise<Merge> {
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', ours, theirs]
  const ran = await tryGit(place, args)
  // 0: clean; 1: conflicts, or, with no tree at all, commits that are not there; anything else: it could not even try.
  if (ran.exitCode > 1 || ran.stdout.length === 0) throw await gitFault(args, ran, place.cwd)
  return parseMerge(ran.stdout, ran.exitCode === 1)
}

/** The id of the merged tree, then the paths in conflict; a NUL after each. */
export function parseMerge(output: Buffer, conflicted: boolean): Merge {
  const [tree, ...paths] = splitBytes(output, 0).filter((part) => part.length > 0)
  if (conflicted) return { kind: 'conflict', paths: [...new Set(paths.map(pathText))] }
  return { kind: 'clean', tree: treeSha(tree?.toString('latin1') ?? '') }
}
