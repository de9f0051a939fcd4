import { realpath, stat } from 'node:fs/promises'
import { commitSha, type CommitSha } from '../../domain/ids.ts'
import type { History } from '../../ports/repository.ts'
import { quarantineOf } from './environment.ts'
import { findGitFolder, inThrowAway, openFolder, type GitFolder } from './git-folder.ts'
import { createHistory, type Names } from './history.ts'
import { notARepository } from './hub.ts'
import { tryGit } from './run-git.ts'

/**
 * A repository read where it is. Its own configuration, hooks and attributes decide nothing, and nothing is written.
 * @throws Fault not-a-repository
 */
export async function inspectFolder(folder: string, base: NodeJS.ProcessEnv): Promise<History> {
  const found = await stat(folder).catch(() => undefined)
  if (found?.isDirectory() !== true) throw notARepository(folder, 'there is no such folder; check the path')
  const gitFolder = await findGitFolder(await realpath(folder), base)
  if (gitFolder === undefined) throw notARepository(folder, 'go into a repository, or name one')
  const env = { ...gitFolder.place.env, ...quarantineOf(base, gitFolder.objectFolder) }
  const readable: GitFolder = { ...gitFolder, place: { ...gitFolder.place, env } }
  const open = openFolder(readable)
  return createHistory(open, namesOf(readable), (run) => inThrowAway(readable, run))
}

function namesOf({ place }: GitFolder): Names {
  const ask = async (args: readonly string[]): Promise<CommitSha | undefined> => {
    const ran = await tryGit(place, args)
    const answer = ran.stdout.toString('latin1').trim()
    return ran.exitCode === 0 && /^[0-9a-f]{40,64}$/.test(answer) ? commitSha(answer) : undefined
  }
  const commitOf = (revision: string): Promise<CommitSha | undefined> =>
    ask(['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`])
  return {
    // `rev-parse refs/heads/x` would also find refs/heads/refs/heads/x; `show-ref --verify` finds that name alone.
    async head(ref) {
      const value = await ask(['show-ref', '--verify', '--hash', '--', ref])
      return value === undefined ? undefined : commitOf(value)
    },
    resolve: async (revision) => (/^-|^$|\p{Cc}/u.test(revision) ? undefined : commitOf(revision)),
  }
}
