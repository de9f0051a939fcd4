import { copyFile, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environmentFor, type Environment } from './environment.ts'
import { ObjectCache } from './object-cache.ts'
import { ObjectReader } from './object-reader.ts'
import type { ObjectFormat } from './objects.ts'
import { tryGit, type Place } from './run-git.ts'

/** A repository's own folder (`.git`, or a bare repository), and how git is run on it. */
export interface GitFolder {
  /** Where HEAD is: for a linked worktree, its own. Absolute, with no symlink in it. */
  readonly path: string
  /** Where refs, objects and configuration are; the same as `path` but for a linked worktree. */
  readonly common: string
  readonly objectFolder: string
  readonly format: ObjectFormat
  readonly isBare: boolean
  /** Runs in the folder itself, with no working tree in sight. */
  readonly place: Place
}

/**
 * The repository a folder is in, found as git finds it (upwards), or exactly there; undefined when there is none.
 * @throws Fault git-failed
 */
export async function findGitFolder(folder: string, base: NodeJS.ProcessEnv): Promise<GitFolder | undefined> {
  const env = environmentFor('closed', base)
  const questions = ['--absolute-git-dir', '--git-common-dir', '--show-object-format', '--is-bare-repository']
  const ran = await tryGit({ cwd: folder, env }, ['rev-parse', ...questions])
  if (ran.exitCode !== 0) return undefined
  // Paths may hold line breaks, the other two answers cannot: read from the end, and ask again for the paths alone.
  const lines = ran.stdout.toString('utf8').trimEnd().split('\n')
  const ask = async (question: string): Promise<string> => {
    const answer = await tryGit({ cwd: folder, env }, ['rev-parse', '--path-format=absolute', question])
    return realpath(answer.stdout.toString('utf8').replace(/\n$/, ''))
  }
  const plain = lines.length === 4 && lines.every((line) => line !== '')
  const [path, common] = plain
    ? await Promise.all([realpath(lines[0] ?? ''), realpath(join2(folder, lines[1] ?? ''))])
    : await Promise.all([ask('--absolute-git-dir'), ask('--git-common-dir')])
  return {
    path,
    common,
    objectFolder: join(common, 'objects'),
    format: lines.at(-2) === 'sha256' ? 'sha256' : 'sha1',
    isBare: lines.at(-1) === 'true',
    place: placeOf(path, env),
  }
}

const join2 = (folder: string, path: string): string => (path.startsWith('/') ? path : join(folder, path))

export const placeOf = (path: string, env: Environment): Place => ({ cwd: path, env: { ...env, GIT_DIR: path } })

/** Reading a git folder: one process and what it read, shared by everything that asks. */
export interface OpenFolder {
  readonly folder: GitFolder
  readonly reader: ObjectReader
  readonly objects: ObjectCache
}

export function openFolder(folder: GitFolder): OpenFolder {
  const reader = new ObjectReader(folder.place)
  return { folder, reader, objects: new ObjectCache(reader) }
}

/**
 * Runs something in a throw-away bare repository that sees the objects of another one: what it writes is gone
 * afterwards, and neither configuration nor attributes of the other one count.
 */
export async function inThrowAway<T>(folder: GitFolder, run: (place: Place) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(await realpath(tmpdir()), 'gaffer-git-'))
  const { GIT_OBJECT_DIRECTORY: quarantined, GIT_DIR: _own, ...env } = folder.place.env
  try {
    await writeSkeleton(path, folder.format)
    const sources = quarantined === undefined ? [folder.objectFolder] : [quarantined, folder.objectFolder]
    await writeFile(join(path, 'objects/info/alternates'), sources.map((source) => `${source}\n`).join(''))
    await copyFile(join(folder.common, 'shallow'), join(path, 'shallow')).catch(() => undefined)
    return await run(placeOf(path, env))
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

/** What makes a folder a bare repository. */
export async function writeSkeleton(path: string, format: ObjectFormat, more = ''): Promise<void> {
  await Promise.all(
    ['objects/info', 'objects/pack', 'refs/heads'].map((at) => mkdir(join(path, at), { recursive: true })),
  )
  const version = format === 'sha256' ? 1 : 0
  const extension = format === 'sha256' ? '[extensions]\n\tobjectformat = sha256\n' : ''
  const core = `[core]\n\trepositoryformatversion = ${version}\n\tfilemode = true\n\tbare = true\n`
  await writeFile(join(path, 'config'), `${core}${extension}${more}`, { mode: 0o600 })
  await writeFile(join(path, 'HEAD'), 'ref: refs/heads/none\n')
}
