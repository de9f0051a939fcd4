import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createRepositories } from '../../src/adapters/git/repositories.ts'
import { makeBareHub, makeRepository, testRepository, writeFiles } from '../repositories.ts'
import { begun, repositoryContract } from './repository.ts'

const create = (folder: string) => createRepositories({ folder })

repositoryContract('a bare hub on this machine', create, async (folder) => {
  const team = await makeRepository({ folder: join(folder, 'team'), files: begun })
  const inside = await makeBareHub({ folder: join(folder, 'hub.git'), from: team })
  return { hub: inside.folder, inside }
})

repositoryContract("a person's own repository, clean", create, async (folder) => {
  const inside = await makeRepository({ folder: join(folder, 'it’s "mine" $HOME'), files: begun })
  return { hub: inside.folder, inside }
})

repositoryContract("a person's own repository, with local edits", create, async (folder) => {
  const inside = await makeRepository({ folder, files: begun })
  await writeFiles(folder, { 'README.md': 'edited by hand\n' })
  return { hub: inside.folder, inside, dirty: true }
})

repositoryContract('a file:// URL', create, async (folder) => {
  const team = await makeRepository({ folder: join(folder, 'team'), files: begun })
  const inside = await makeBareHub({ folder: join(folder, 'a hub.git'), from: team })
  return { hub: pathToFileURL(inside.folder).href, inside }
})

repositoryContract('a linked working tree of a bare repository', create, async (folder) => {
  const team = await makeRepository({ folder: join(folder, 'team'), files: begun })
  const bare = await makeBareHub({ folder: join(folder, 'hub.git'), from: team })
  await bare.git('worktree', 'add', '--quiet', join(folder, 'linked'), 'main')
  return { hub: join(folder, 'linked'), inside: testRepository(join(folder, 'linked')) }
})
