import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { GitFolder } from './git-folder.ts'

/**
 * The working tree of a hub in which one of these branches is being rebased; undefined when there is none. HEAD is
 * detached meanwhile, and git would move such a tree's files under the rebase when they happen to be clean.
 */
export function findRebase(hub: GitFolder, refs: readonly string[]): string | undefined {
  const linked = list(join(hub.common, 'worktrees')).map((name) => join(hub.common, 'worktrees', name))
  for (const gitFolder of [hub.common, ...linked]) {
    const heads = ['rebase-merge', 'rebase-apply'].map((state) => read(join(gitFolder, state, 'head-name')))
    if (!heads.some((head) => head !== undefined && refs.includes(head))) continue
    return gitFolder === hub.common ? dirname(gitFolder) : dirname(read(join(gitFolder, 'gitdir')) ?? gitFolder)
  }
  return undefined
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
