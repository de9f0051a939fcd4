import { lstat, mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { CommitSha } from '../../domain/ids.ts'
import { copyIndex } from './copy-index.ts'
import { alternate } from './environment.ts'
import type { ObjectCache } from './object-cache.ts'
import { removeAll } from './remove-all.ts'
import { git } from './run-git.ts'
import type { Store } from './store.ts'
import { writeNote, type WorkspaceNote, type WorkspacePlace } from './workspace-place.ts'

/**
 * The `.git` of a workspace: the agent's own clone to look around in, with the last commits of history, one branch,
 * no remote and no secret. It is written here and never read. What an agent did in it is gone after this; its packs
 * are copies, so nothing it does to them touches ours.
 */
type HeldGit = NonNullable<WorkspaceNote['git']>

const historyDepth = 50
/** After so many packs the folder is made anew, with one. */
const maxPacks = 40
const branch = 'work'

export async function putGitFolder(input: {
  readonly workspace: WorkspacePlace
  readonly objects: ObjectCache
  readonly note: WorkspaceNote | undefined
  readonly at: CommitSha
  readonly index: string
}): Promise<void> {
  const { workspace, objects, note, at, index } = input
  const held = note?.git ?? null
  const reusable = held !== null && (await isIntact(workspace.real, held)) ? held : null
  await writeNote(workspace, null)
  const made =
    reusable !== null && (await follows(objects, reusable.at, at))
      ? await renewGitFolder(workspace, reusable, at, index)
      : await makeGitFolder(workspace, objects, at, index)
  await writeNote(workspace, made)
}

/** The packs we put there are still there; only names, sizes and times are looked at, and no symlink is followed. */
async function isIntact(real: string, { packs }: HeldGit): Promise<boolean> {
  if (packs.length > maxPacks) return false
  const folders = ['.git', '.git/objects', '.git/objects/pack'].map((at) =>
    lstat(join(real, at)).catch(() => undefined),
  )
  if ((await Promise.all(folders)).some((found) => found?.isDirectory() !== true)) return false
  const files = await Promise.all(packs.map(({ name }) => lstat(join(real, packFolder, name)).catch(() => undefined)))
  return packs.every(({ sizeBytes, mtimeMs }, at) => {
    const found = files[at]
    return found?.isFile() === true && found.size === sizeBytes && found.mtimeMs === mtimeMs
  })
}

const packFolder = '.git/objects/pack'

/** Whether a commit comes soon after another along first parents: then the packs of the earlier one are a base. */
async function follows(objects: ObjectCache, earlier: string, later: CommitSha): Promise<boolean> {
  let commit: CommitSha | undefined = later
  for (let steps = 0; commit !== undefined && steps <= historyDepth; steps += 1) {
    if (commit === earlier) return true
    const parents: readonly CommitSha[] = (await objects.commit(commit)).parents
    // A merge brings history whose edge we do not know here.
    if (parents.length !== 1) return false
    commit = parents[0]
  }
  return false
}

async function renewGitFolder(
  workspace: WorkspacePlace,
  held: HeldGit,
  at: CommitSha,
  index: string,
): Promise<HeldGit> {
  const gitFolder = join(workspace.real, '.git')
  const names = new Set(held.packs.map(({ name }) => name))
  await removeOthers(gitFolder, new Set(['objects']))
  await removeOthers(join(gitFolder, 'objects'), new Set(['pack']))
  await removeOthers(join(gitFolder, 'objects/pack'), names)

  const staging = await freshStaging(workspace)
  try {
    const added = held.at === at ? [] : await writePack(workspace.store, staging, [at, `^${held.at}`])
    for (const name of added) await rename(join(staging, 'objects/pack', name), join(workspace.real, packFolder, name))
    const packs = [...held.packs, ...(await measure(workspace.real, added))]
    await writeFiles({ gitFolder, store: workspace.store, at, index, shallow: held.shallow })
    return { at, shallow: held.shallow, packs }
  } finally {
    await removeAll(staging)
  }
}

async function makeGitFolder(
  workspace: WorkspacePlace,
  objects: ObjectCache,
  at: CommitSha,
  index: string,
): Promise<HeldGit> {
  const gitFolder = join(workspace.real, '.git')
  const shallow = await findEdge(objects, at)
  const staging = await freshStaging(workspace)
  try {
    const added = await writePack(workspace.store, staging, [...shallow.map((sha) => `--shallow ${sha}`), at])
    await writeFiles({ gitFolder: staging, store: workspace.store, at, index, shallow })
    await removeAll(gitFolder)
    await rename(staging, gitFolder)
    return { at, shallow, packs: await measure(workspace.real, added) }
  } finally {
    await removeAll(staging)
  }
}

async function removeOthers(folder: string, keep: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(folder)) if (!keep.has(name)) await removeAll(join(folder, name))
}

/** Beside the workspace: on the same disk, and where no agent writes. */
async function freshStaging({ real }: WorkspacePlace): Promise<string> {
  const staging = join(dirname(real), `.${basename(real)}.git-new`)
  await removeAll(staging)
  await mkdir(join(staging, 'objects/pack'), { recursive: true })
  return staging
}

/** Packs what the revisions reach into the staging folder; the names of the files it made. */
async function writePack(store: Store, staging: string, revisions: readonly string[]): Promise<readonly string[]> {
  const env = {
    GIT_OBJECT_DIRECTORY: join(staging, 'objects'),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: alternate(store.objectFolder),
  }
  const args = ['pack-objects', '-q', '--revs', '--delta-base-offset', join(staging, 'objects/pack/pack')]
  await git(store.place, args, { env, stdin: `${revisions.join('\n')}\n` })
  return (await readdir(join(staging, 'objects/pack'))).filter((name) =>
    /^pack-[0-9a-f]+\.(?:pack|idx|rev)$/.test(name),
  )
}

/** Commits so far back that the agent's history ends there. */
async function findEdge(objects: ObjectCache, at: CommitSha): Promise<CommitSha[]> {
  const seen = new Set<CommitSha>([at])
  let row: readonly CommitSha[] = [at]
  for (let depth = 1; depth < historyDepth && row.length > 0 && seen.size < maxCommits; depth += 1) {
    const commits = await Promise.all(row.map((sha) => objects.commit(sha)))
    row = [...new Set(commits.flatMap(({ parents }) => parents))].filter((sha) => !seen.has(sha))
    for (const sha of row) seen.add(sha)
  }
  const last = await Promise.all(row.map((sha) => objects.commit(sha)))
  return last.flatMap(({ sha, parents }) => (parents.some((parent) => !seen.has(parent)) ? [sha] : []))
}
const maxCommits = 2_000

async function measure(real: string, names: readonly string[]): Promise<HeldGit['packs']> {
  return Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs } = await lstat(join(real, packFolder, name))
      return { name, sizeBytes: size, mtimeMs }
    }),
  )
}

async function writeFiles(input: {
  readonly gitFolder: string
  readonly store: Store
  readonly at: CommitSha
  readonly index: string
  readonly shallow: readonly string[]
}): Promise<void> {
  const { gitFolder, store, at, index, shallow } = input
  const folders = ['objects/info', 'refs/heads', 'refs/tags', 'info', 'hooks']
  await Promise.all(folders.map((folder) => mkdir(join(gitFolder, folder), { recursive: true })))
  const write = (name: string, text: string): Promise<void> => writeFile(join(gitFolder, name), text, { flag: 'wx' })
  await Promise.all([
    write('config', configuration(store.format)),
    write('HEAD', `ref: refs/heads/${branch}\n`),
    write(`refs/heads/${branch}`, `${at}\n`),
    ...(shallow.length === 0 ? [] : [write('shallow', shallow.map((sha) => `${sha}\n`).join(''))]),
    copyIndex(index, join(gitFolder, 'index')),
  ])
}

const configuration = (format: string): string =>
  [
    `[core]\n\trepositoryformatversion = ${format === 'sha256' ? 1 : 0}\n\tfilemode = true\n\tbare = false\n`,
    '\tlogallrefupdates = true\n\tautocrlf = false\n[gc]\n\tauto = 0\n',
    format === 'sha256' ? '[extensions]\n\tobjectformat = sha256\n' : '',
    // So that an agent that commits for its own use can; nobody takes those commits over.
    '[user]\n\tname = agent\n\temail = agent@localhost\n',
  ].join('')
