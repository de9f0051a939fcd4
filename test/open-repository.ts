import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createRepositories, type GitOptions } from '../src/adapters/git/repositories.ts'
import type { CommitSha } from '../src/domain/ids.ts'
import type { Repositories, Repository } from '../src/ports/repository.ts'
import {
  makeBareHub,
  makeRepository,
  temporaryFolder,
  testPerson,
  testRepository,
  type Files,
  type TestRepository,
} from './repositories.ts'

/** A hub in a temporary folder, opened on real git; `await using` closes and removes all of it. */
export interface OpenedRepository extends AsyncDisposable {
  readonly path: string
  readonly hub: TestRepository
  readonly repositories: Repositories
  readonly repository: Repository
  /** Head of `main` on the hub. */
  readonly main: CommitSha
  /** The store beside the hub. */
  store(): Promise<TestRepository>
  /** Commits an edit of a commit's files; nothing points at it yet. */
  change(parent: CommitSha, files: Readonly<Record<string, string | null>>, message?: string): Promise<CommitSha>
}

export async function openTestRepository(input: {
  readonly files: Files
  /** `own`: a person's repository with a working tree; by default a bare one. */
  readonly hub?: 'bare' | 'own'
  readonly objectFormat?: 'sha1' | 'sha256'
  readonly options?: Partial<GitOptions>
}): Promise<OpenedRepository> {
  const { files, hub: kind = 'bare', objectFormat = 'sha1', options } = input
  const place = await temporaryFolder()
  const team = await makeRepository({ folder: join(place.path, 'team'), files, objectFormat })
  const hub = kind === 'own' ? team : await makeBareHub({ folder: join(place.path, 'hub.git'), from: team })
  const repositories = createRepositories({ folder: join(place.path, 'stores'), ...options })
  const repository = await repositories.open(hub.folder)
  const main = await repository.head('refs/heads/main')
  if (main === undefined) throw new Error('the hub has no main')
  return {
    path: place.path,
    hub,
    repositories,
    repository,
    main,
    async store() {
      const [name] = (await readdir(join(place.path, 'stores'))).filter((each) => each.endsWith('.git'))
      return testRepository(join(place.path, 'stores', name ?? 'none'))
    },
    async change(parent, edits, message = 'feat: change') {
      const tree = await repository.edit(await repository.treeOf(parent), edits)
      const who = { author: testPerson, committer: testPerson, at: '2026-02-03T04:05:06.000Z' }
      return repository.commit({ tree, parents: [parent], message, ...who })
    },
    async [Symbol.asyncDispose]() {
      await repository.close()
      await place.remove()
    },
  }
}
