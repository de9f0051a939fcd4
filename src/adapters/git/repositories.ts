import { commitSha, type CommitSha, type TreeSha } from '../../domain/ids.ts'
import { isAbsolute } from 'node:path'
import { Fault } from '../../domain/fault.ts'
import type { CommitInput, Repositories, Repository } from '../../ports/repository.ts'
import { writeCheckout } from './checkout.ts'
import { editTree } from './edit-tree.ts'
import { defaultBranchOf, fetchHub } from './fetch.ts'
import { openFolder } from './git-folder.ts'
import { createHistory } from './history.ts'
import { findHub } from './hub.ts'
import { inspectFolder } from './inspect.ts'
import { formatCommit, type ObjectKind } from './objects.ts'
import { pushRefs } from './push.ts'
import { takeSnapshot } from './snapshot.ts'
import { headInStore, resolveInStore } from './store-refs.ts'
import { openStore } from './store.ts'
import { openWorkspace } from './workspace.ts'
import { classified, writeObject } from './write-object.ts'

export interface GitOptions {
  /** Where the object stores live, one for each hub; made when it is not there. Absolute. */
  readonly folder: string
  /** What git's environment is taken from (PATH, HOME, ssh's and a hook's variables); by default this process's. */
  readonly env?: NodeJS.ProcessEnv
  /** Files above this are a problem of a workspace, not part of its tree; by default 20 MiB. */
  readonly fileLimitBytes?: number
}

const defaultFileLimitBytes = 20 * 1024 * 1024

/** Repositories on the system's git (2.38 or newer). */
export function createRepositories(options: GitOptions): Repositories {
  const { folder, env = process.env, fileLimitBytes = defaultFileLimitBytes } = options
  if (!isAbsolute(folder)) throw new TypeError(`the folder of the object stores must be absolute: ${folder}`)
  return {
    open: (hub) => openRepository({ hub, folder, env, fileLimitBytes }),
    inspect: (place) => inspectFolder(place, env),
  }
}

async function openRepository(input: Required<GitOptions> & { readonly hub: string }): Promise<Repository> {
  const { hub, folder, env, fileLimitBytes } = input
  const store = await openStore(folder, await findHub(hub, env), env)
  const open = openFolder(store)
  const { reader, objects } = open
  const names = {
    head: (ref: string) => headInStore(reader, ref),
    resolve: (revision: string) => resolveInStore(store, reader, revision),
  }
  const write = (kind: ObjectKind, content: Uint8Array): Promise<string> =>
    writeObject({ objectFolder: store.objectFolder, format: store.format, kind, content })
  const like = '0'.repeat(store.format === 'sha256' ? 64 : 40)
  const fetch = (): Promise<void> => classified(store.path, fetchHub(store))
  await fetch()

  return {
    ...createHistory(open, names, (run) => run(store.place)),
    hub,
    fetch,
    defaultBranch: () => classified(store.path, defaultBranchOf(store)),
    openWorkspace: (place, at) => classified(place, openWorkspace({ store, objects, folder: place, at })),
    snapshot: (place, since) =>
      classified(place, takeSnapshot({ store, objects, write, folder: place, since, fileLimitBytes })),
    checkout: (at, place) => classified(place, writeCheckout(store, at, place)),
    push: (updates) => classified(store.path, pushRefs(store, reader, updates)),
    close: () => reader.close(),
    edit: (from, files) => editTree({ objects, write, from, files, like }),

    async commit(commit) {
      await Promise.all([
        expectObject(reader.look(commit.tree), 'tree', commit.tree),
        ...commit.parents.map((parent) => expectObject(reader.look(parent), 'commit', parent)),
      ])
      return writeCommit(write, commit)
    },
  }
}

const writeCommit = async (
  write: (kind: ObjectKind, content: Uint8Array) => Promise<string>,
  input: CommitInput,
): Promise<CommitSha> => commitSha(await write('commit', formatCommit(input)))

/** A commit that names what is not there would only be found out when it is pushed. */
async function expectObject(
  looking: Promise<{ readonly kind: ObjectKind } | undefined>,
  kind: ObjectKind,
  sha: CommitSha | TreeSha,
): Promise<void> {
  if ((await looking)?.kind === kind) return
  throw new Fault('git-failed', `there is no ${kind} ${sha} in the repository`, {
    hint: 'fetch the hub again; when it is still missing there, it was removed from the hub',
  })
}
