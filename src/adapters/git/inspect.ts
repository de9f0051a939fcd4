import { realpath, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { commitSha, type CommitSha } from '../../domain/ids.ts'
import type { History } from '../../ports/repository.ts'
import { quarantineOf } from './environment.ts'
import { findGitFolder, inThrowAway, openFolder, type GitFolder } from './git-folder.ts'
import { createHistory, type Names } from './history.ts'
import { notARepository } from './hub.ts'
import type { ObjectReader } from './object-reader.ts'
import { tryGit } from './run-git.ts'
import { classified } from './write-object.ts'

/**
 * A repository read where it is. Its own configuration, hooks and attributes decide nothing, and nothing is written.
 * @throws Fault not-a-repository
 */
export async function inspectFolder(folder: string, base: NodeJS.ProcessEnv): Promise<History> {
  const found = await stat(folder).catch(() => undefined)
  if (found?.isDirectory() !== true) throw notARepository(folder, 'there is no such folder; check the path')
  const gitFolder = await findGitFolder(await realpath(folder), base)
  if (gitFolder === undefined) throw notARepository(folder, 'go into a repository, or name one')
  const env = { ...gitFolder.place.env, ...(await quarantineOf(base, gitFolder.objectFolder, realpath)) }
  const readable: GitFolder = { ...gitFolder, place: { ...gitFolder.place, env } }
  const open = openFolder(readable)
  return createHistory(open, namesOf(readable, open.reader), (run) => classified(tmpdir(), inThrowAway(readable, run)))
}

function namesOf({ place }: GitFolder, reader: ObjectReader): Names {
  const commitOf = async (revision: string): Promise<CommitSha | undefined> => {
    const found = await reader.look(`${revision}^{commit}`)
    return found?.kind === 'commit' ? commitSha(found.sha) : undefined
  }
  return {
    // A revision refs/heads/x would also mean refs/heads/refs/heads/x; `show-ref --verify` finds that name alone.
    async head(ref) {
      const ran = await tryGit(place, ['show-ref', '--verify', '--hash', '--', ref])
      const value = ran.stdout.toString('latin1').trim()
      return ran.exitCode === 0 && /^[0-9a-f]{40,64}$/.test(value) ? commitOf(value) : undefined
    },
    resolve: async (revision) => (revision === '' ? undefined : commitOf(revision)),
  }
}
