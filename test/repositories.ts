import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { commitSha, type CommitSha } from '../src/domain/ids.ts'

/**
 * Builders of real git repositories for tests. Everything lives in a temporary folder of its own:
 *
 *     const place = await temporaryFolder()
 *     const team = await makeRepository({ folder: join(place.path, 'team'), files: { 'a.txt': 'one\n' } })
 *     const hub = await makeBareHub({ folder: join(place.path, 'hub.git'), from: team })
 *     …
 *     await place.remove()          // or `await using place = …`
 */
export interface TemporaryFolder extends AsyncDisposable {
  /** Absolute, with no symlink in it. */
  readonly path: string
  remove(): Promise<void>
}

export async function temporaryFolder(prefix = 'gaffer-test-'): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(await realpath(tmpdir()), prefix))
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 5 })
  return { path, remove, [Symbol.asyncDispose]: remove }
}

/** What a file is made of: text or bytes; `executable` and `link` where it matters; null removes it. */
export type FileSpec = string | Uint8Array | { readonly executable: string } | { readonly link: string } | null
export type Files = Readonly<Record<string, FileSpec>>

export const testPerson = { name: 'Test Person', email: 'person@example.com' } as const

/** The environment git runs in: nothing of the machine's configuration, fixed names and dates. */
export const gitTestEnv: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: testPerson.name,
  GIT_AUTHOR_EMAIL: testPerson.email,
  GIT_AUTHOR_DATE: '2026-01-02T03:04:05Z',
  GIT_COMMITTER_NAME: testPerson.name,
  GIT_COMMITTER_EMAIL: testPerson.email,
  GIT_COMMITTER_DATE: '2026-01-02T03:04:05Z',
}

/** Runs git and gives its standard output, without the last line break. Throws with git's words when it fails. */
export const git = (folder: string, args: readonly string[], more: { env?: Record<string, string> } = {}) =>
  new Promise<string>((resolve, reject) => {
    const options = { cwd: folder, env: { ...gitTestEnv, ...more.env }, maxBuffer: 1 << 28 }
    execFile('git', [...args], options, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`git ${args.join(' ')}: ${stderr || error.message}`))
      else resolve(stdout.replace(/\n$/, ''))
    })
  })

export interface TestRepository {
  readonly folder: string
  git(...args: string[]): Promise<string>
  /** Writes files (null removes), commits everything and gives the commit. */
  commit(files: Files, message?: string): Promise<CommitSha>
  /** Value of a ref or revision; undefined when there is none. */
  head(revision?: string): Promise<CommitSha | undefined>
  /** Text of a file in a revision; undefined when there is none. */
  text(revision: string, path: string): Promise<string | undefined>
}

/** Writes files below a folder, making folders on the way. Throws rather than write outside through a symlink. */
export async function writeFiles(folder: string, files: Files): Promise<void> {
  await mkdir(folder, { recursive: true })
  const top = await realpath(folder)
  for (const [path, spec] of Object.entries(files)) {
    const target = join(folder, path)
    const real = await realOrAbove(dirname(target))
    if (real !== top && !real.startsWith(`${top}/`)) throw new Error(`${path} leads out of ${folder}, to ${real}`)
    await rm(target, { recursive: true, force: true })
    if (spec === null) continue
    await mkdir(dirname(target), { recursive: true })
    if (typeof spec === 'string' || spec instanceof Uint8Array) await writeFile(target, spec)
    else if ('link' in spec) await symlink(spec.link, target)
    else await writeFile(target, spec.executable, { mode: 0o755 })
  }
}

/** Where a folder is, or the nearest one above it that is there. */
const realOrAbove = (path: string): Promise<string> => realpath(path).catch(() => realOrAbove(dirname(path)))

/**
 * A repository with a working tree, on branch `main`. With `files`, one commit holds them; without, it has no commit.
 */
export async function makeRepository(input: {
  readonly folder: string
  readonly files?: Files
  readonly branch?: string
  readonly objectFormat?: 'sha1' | 'sha256'
}): Promise<TestRepository> {
  await mkdir(input.folder, { recursive: true })
  const format = `--object-format=${input.objectFormat ?? 'sha1'}`
  await git(input.folder, ['init', '--quiet', format, `--initial-branch=${input.branch ?? 'main'}`])
  const repository = testRepository(input.folder)
  if (input.files !== undefined) await repository.commit(input.files, 'chore: begin')
  return repository
}

/** A bare repository: empty, or a mirror of another one. */
export async function makeBareHub(input: {
  readonly folder: string
  readonly from?: TestRepository
}): Promise<TestRepository> {
  await mkdir(input.folder, { recursive: true })
  if (input.from === undefined) await git(input.folder, ['init', '--quiet', '--bare', '--initial-branch=main'])
  else await git(input.folder, ['clone', '--quiet', '--mirror', input.from.folder, '.'])
  return testRepository(input.folder)
}

/** The same operations on a repository that is there already. */
export function testRepository(folder: string): TestRepository {
  const head = async (revision = 'HEAD'): Promise<CommitSha | undefined> => {
    try {
      return commitSha(await git(folder, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`]))
    } catch {
      return undefined
    }
  }
  return {
    folder,
    head,
    git: (...args) => git(folder, args),
    async commit(files, message = 'chore: change') {
      await writeFiles(folder, files)
      await git(folder, ['add', '--all'])
      await git(folder, ['commit', '--quiet', '--allow-empty', '-m', message])
      return commitSha(await git(folder, ['rev-parse', 'HEAD']))
    },
    async text(revision, path) {
      try {
        await git(folder, ['cat-file', '-e', `${revision}:${path}`])
      } catch {
        return undefined
      }
      return new Promise((resolve, reject) => {
        execFile('git', ['cat-file', 'blob', `${revision}:${path}`], { cwd: folder, env: gitTestEnv }, (error, out) =>
          error === null ? resolve(out) : reject(error),
        )
      })
    },
  }
}
