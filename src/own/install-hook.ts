import { spawn } from 'node:child_process'
import { chmod, mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { Fault } from '../domain/fault.ts'

export type HookInstalled =
  | { readonly kind: 'installed'; readonly file: string }
  /** Somebody's own hook stands there, and stays. */
  | { readonly kind: 'taken'; readonly file: string; readonly todo: string }
  /** Hooks come from a folder outside this repository, shared with others. */
  | { readonly kind: 'elsewhere'; readonly folder: string; readonly todo: string }

const mark = '# Written by `gaffer`: pre-receive'

/**
 * Writes the `pre-receive` hook of a repository (its `.git`, or itself when it is bare). Safe to repeat: our own hook is
 * replaced, another's never.
 * @param command how to start this Gaffer: program and arguments, absolute
 * @throws Fault not-a-repository, command-missing
 */
export async function installHook(folder: string, command: readonly string[]): Promise<HookInstalled> {
  const [common, hooks] = await gitPaths(folder)
  const call = `${command.map(quoted).join(' ')} hook pre-receive`
  const inside = await realpath(common)
  if (hooks !== join(common, 'hooks') && !resolve(hooks).startsWith(inside + sep))
    return { kind: 'elsewhere', folder: hooks, todo: `core.hooksPath is set; call \`${call}\` from the hook there` }

  const file = join(hooks, 'pre-receive')
  const standing = await readIfThere(file)
  if (standing !== undefined && !standing.includes(mark))
    return { kind: 'taken', file, todo: `add this line to it, on the same standard input: ${call} || exit 1` }
  await mkdir(hooks, { recursive: true })
  const draft = `${file}.gaffer-${process.pid}`
  await writeFile(draft, `#!/bin/sh\n${mark}\nexec ${call}\n`, { mode: 0o755 })
  await chmod(draft, 0o755) // whatever the umask
  await rename(draft, file)
  return { kind: 'installed', file }
}

async function gitPaths(folder: string): Promise<[string, string]> {
  const lines = (await git(folder, ['rev-parse', '--git-common-dir', '--git-path', 'hooks'])).trim().split('\n')
  const [common, hooks] = lines.map((line) => resolve(folder, line))
  if (common === undefined || hooks === undefined) throw notARepository(folder)
  return [common, hooks]
}

function git(folder: string, argv: readonly string[]): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn('git', argv, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')))
    child.on('error', (cause) => fail(notARepository(folder, cause)))
    child.on('close', (code) => (code === 0 ? done(out) : fail(notARepository(folder))))
  })
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

const notARepository = (folder: string, cause?: unknown): Fault =>
  new Fault('not-a-repository', `${folder} is not a git repository that can be used`, {
    hint: 'name the folder of a repository on this machine, and see that git is installed',
    ...(cause === undefined ? {} : { cause }),
  })
