import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { CommitSha } from '../../domain/ids.ts'
import { copyIndex } from './copy-index.ts'
import { alternate } from './environment.ts'
import { formatPack } from './format-pack.ts'
import { newObjects } from './new-objects.ts'
import type { ObjectCache } from './object-cache.ts'
import type { GitObject } from './object-reader.ts'
import { removeAll } from './remove-all.ts'
import { git } from './run-git.ts'
import type { Store } from './store.ts'
import { writeNote, type WorkspaceNote, type WorkspacePlace } from './workspace-place.ts'

/**
 * The `.git` of a workspace: the agent's own clone to look around in, with the last commits of history, one branch,
 * no remote and no secret. Git never runs with it here. What an agent did in it is gone after this: only the packs we
 * put there stay, and they are copies, so nothing it does to them touches ours.
 *
 * A crash in the middle leaves the old note beside it. Either the old packs are still there, then everything but them
 * is made right the next time, or they are not, then all of it is made anew.
 */
type HeldGit = WorkspaceNote['git']

const historyDepth = 50
/** After so many packs the folder is made anew, with one. */
const maxPackFiles = 90
const branch = 'work'
const packFolder = 'objects/pack'

/** What becomes of the `.git`, decided while files are still being written beside it. */
export type GitFolderPlan =
  | { readonly kind: 'keep'; readonly held: HeldGit }
  | { readonly kind: 'extend'; readonly held: HeldGit; readonly at: CommitSha; readonly added: readonly GitObject[] }
  | { readonly kind: 'make'; readonly held: HeldGit; readonly staging: string }

/** Touches nothing in the workspace. What has to be made anew is packed aside. */
export async function planGitFolder(input: {
  readonly workspace: WorkspacePlace
  readonly objects: ObjectCache
  readonly note: WorkspaceNote | undefined
  readonly at: CommitSha
}): Promise<GitFolderPlan> {
  const { workspace, objects, note, at } = input
  const held = note?.git
  if (held !== undefined && isIntact(gitFolderOf(workspace), held)) {
    if (held.at === at) return { kind: 'keep', held }
    const added = await newObjects(objects, held.at, at)
    if (added !== undefined) return { kind: 'extend', held, at, added }
  }
  const staging = stagingOf(workspace)
  const shallow = await findEdge(objects, at)
  await writePack(workspace.store, staging, [...shallow.map((sha) => `--shallow ${sha}`), at])
  return {
    kind: 'make',
    held: { at, shallow, packs: measure(staging, readdirSync(join(staging, packFolder))) },
    staging,
  }
}

/** Carries a plan out. Safe to repeat with a new plan, also after a crash in the middle. */
export async function putGitFolder(workspace: WorkspacePlace, plan: GitFolderPlan, index: string): Promise<void> {
  const { store } = workspace
  const gitFolder = gitFolderOf(workspace)
  if (plan.kind !== 'make') await removeAll(stagingOf(workspace)) // left by one that died
  switch (plan.kind) {
    case 'keep':
      return settle(gitFolder, expected(store, plan.held), index)
    case 'extend': {
      const { held, at, added } = plan
      const { name, pack, index: packIndex } = formatPack(added, store.format)
      const files = new Map([
        [`${name}.pack`, pack],
        [`${name}.idx`, packIndex],
      ])
      const names = [...files.keys()]
      const known = new Set(held.packs.map((each) => each.name))
      const layout = expected(store, { ...held, at })
      await settle(
        gitFolder,
        { ...layout, packs: [...layout.packs, ...names.map((each) => `${packFolder}/${each}`)] },
        index,
      )
      for (const [each, bytes] of files) {
        const place = join(gitFolder, packFolder, each)
        if (known.has(each)) continue
        await removeAll(place)
        writeFileSync(place, bytes, { flag: 'wx', mode: 0o444 })
      }
      const packs = [
        ...held.packs,
        ...measure(
          gitFolder,
          names.filter((each) => !known.has(each)),
        ),
      ]
      return writeNote(workspace, { ...held, at, packs })
    }
    case 'make': {
      const { held, staging } = plan
      await settle(staging, expected(store, held), index)
      await removeAll(gitFolder)
      renameSync(staging, gitFolder)
      return writeNote(workspace, held)
    }
  }
}

/** On the workspace's disk, and where no agent writes. */
const stagingOf = ({ real }: WorkspacePlace): string => join(dirname(real), `.${basename(real)}.git-new`)
const gitFolderOf = ({ real }: WorkspacePlace): string => join(real, '.git')

/** The packs we put there are still there; only names, sizes and times are looked at, and no symlink is followed. */
function isIntact(gitFolder: string, { packs }: HeldGit): boolean {
  if (packs.length > maxPackFiles) return false
  const folders = ['', 'objects', packFolder].map((name) => join(gitFolder, name))
  if (!folders.every((folder) => look(folder)?.isDirectory() === true)) return false
  return packs.every(({ name, sizeBytes, mtimeMs }) => {
    const found = look(join(gitFolder, packFolder, name))
    return found?.isFile() === true && found.size === sizeBytes && found.mtimeMs === mtimeMs
  })
}

const look = (path: string) => lstatSync(path, { throwIfNoEntry: false })

/** What a git folder holds, by path. Folders stand before what is in them. */
interface Layout {
  readonly folders: readonly string[]
  readonly packs: readonly string[]
  readonly files: ReadonlyMap<string, string>
}

function expected(store: Store, { at, shallow, packs }: HeldGit): Layout {
  const files = new Map([
    ['config', configuration(store.format)],
    ['HEAD', `ref: refs/heads/${branch}\n`],
    [`refs/heads/${branch}`, `${at}\n`],
  ])
  if (shallow.length > 0) files.set('shallow', shallow.map((sha) => `${sha}\n`).join(''))
  return {
    folders: ['objects', 'objects/info', packFolder, 'refs', 'refs/heads', 'refs/tags', 'info', 'hooks'],
    packs: packs.map(({ name }) => `${packFolder}/${name}`),
    files,
  }
}

/**
 * Makes a folder hold exactly that and our index. What is right already is left: most of it, most of the time. A
 * folder is listed only once it is known to be one, so that nothing is removed through a symlink.
 */
async function settle(gitFolder: string, { folders, packs, files }: Layout, index: string): Promise<void> {
  const wanted = new Set(['index', ...folders, ...packs, ...files.keys()])
  for (const folder of ['', ...folders]) {
    const place = join(gitFolder, folder)
    if (look(place)?.isDirectory() !== true) {
      await removeAll(place)
      mkdirSync(place)
    }
    for (const name of readdirSync(place)) if (!wanted.has(join(folder, name))) await removeAll(join(place, name))
  }
  for (const [name, text] of files) {
    const place = join(gitFolder, name)
    if (holds(place, Buffer.from(text))) continue
    await removeAll(place)
    writeFileSync(place, text, { flag: 'wx' })
  }
  const place = join(gitFolder, 'index')
  if (holds(place, readFileSync(index))) return
  await removeAll(place)
  copyIndex(index, place)
}

function holds(place: string, content: Buffer): boolean {
  const found = look(place)
  return (
    found?.isFile() === true &&
    found.nlink === 1 &&
    found.size === content.length &&
    readFileSync(place).equals(content)
  )
}

/** Packs what the revisions reach into the staging folder. */
async function writePack(store: Store, staging: string, revisions: readonly string[]): Promise<void> {
  rmSync(staging, { recursive: true, force: true })
  mkdirSync(join(staging, packFolder), { recursive: true })
  const env = {
    GIT_OBJECT_DIRECTORY: join(staging, 'objects'),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: alternate(store.objectFolder),
  }
  const args = ['pack-objects', '-q', '--revs', '--delta-base-offset', join(staging, packFolder, 'pack')]
  await git(store.place, args, { env, stdin: `${revisions.join('\n')}\n` })
}

const measure = (gitFolder: string, names: readonly string[]): HeldGit['packs'] =>
  names.map((name) => {
    const { size, mtimeMs } = lstatSync(join(gitFolder, packFolder, name))
    return { name, sizeBytes: size, mtimeMs }
  })

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

const configuration = (format: string): string =>
  [
    `[core]\n\trepositoryformatversion = ${format === 'sha256' ? 1 : 0}\n\tfilemode = true\n\tbare = false\n`,
    '\tlogallrefupdates = true\n\tautocrlf = false\n[gc]\n\tauto = 0\n',
    format === 'sha256' ? '[extensions]\n\tobjectformat = sha256\n' : '',
    // So that an agent that commits for its own use can; nobody takes those commits over.
    '[user]\n\tname = agent\n\temail = agent@localhost\n',
  ].join('')
