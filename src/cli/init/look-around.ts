import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../domain/fault.ts'
import { paths } from '../../domain/settings.ts'
import { git, gitLine } from '../git.ts'
import { refusal } from '../stop.ts'

export const writtenPaths = [paths.settings, paths.allowedSigners, paths.evidenceKeys, 'AGENTS.md'] as const

export interface Surroundings {
  /** Top folder of the working tree. */
  readonly root: string
  /** null on a detached head. */
  readonly current: string | null
  /** The branch that will be protected. */
  readonly branch: string
  readonly unborn: boolean
  readonly files: ReadonlyMap<string, string>
  readonly tracked: readonly string[]
  /** Of the files that would be written, those that people changed and did not commit. */
  readonly changed: readonly string[]
}

/** What git says about the repository that `cwd` is in. @throws Stop, Fault command-missing */
export async function lookAround(cwd: string): Promise<Surroundings> {
  const inside = await git(cwd, ['rev-parse', '--is-bare-repository', '--is-inside-work-tree'])
  if (inside.code === 127) throw new Fault('command-missing', 'there is no git', { hint: 'install git' })
  if (inside.code !== 0) {
    if (inside.stderr.includes('dubious ownership'))
      throw refusal(
        'nothing was written',
        `git does not trust ${cwd}: it belongs to another user`,
        `tell git that it may: \`git config --global --add safe.directory ${cwd}\``,
      )
    throw refusal(
      'nothing was written',
      `${cwd} is in no git repository`,
      'make it one first: `git init`, and a first commit',
    )
  }
  const [bare, worktree] = inside.stdout.trim().split('\n')
  if (bare === 'true' || worktree !== 'true')
    throw refusal('nothing was written', `${cwd} is no working tree`, 'run it in a clone, and push what it commits')

  const root = (await gitLine(cwd, ['rev-parse', '--show-toplevel'])) ?? cwd
  const current = (await gitLine(root, ['symbolic-ref', '--quiet', '--short', 'HEAD'])) ?? null
  const files = new Map<string, string>()
  for (const path of [...writtenPaths, 'package.json']) {
    const text = await readFile(join(root, path), 'utf8').catch(() => undefined)
    if (text !== undefined) files.set(path, text)
  }
  const status = await git(root, ['status', '--porcelain=v1', '-z', '--untracked-files=no', '--', ...writtenPaths])
  const listed = await git(root, ['ls-files', '-z', '--cached', '--others', '--exclude-standard'])
  return {
    root,
    current,
    branch: await protectedBranch(root, current),
    unborn: (await gitLine(root, ['rev-parse', '--verify', '--quiet', 'HEAD'])) === undefined,
    files,
    tracked: listed.stdout.split('\0').filter((path) => path !== ''),
    changed: status.stdout
      .split('\0')
      .filter((entry) => entry !== '' && !entry.startsWith('A'))
      .map((entry) => entry.slice(3)),
  }
}

/** What the remote calls its main branch, else main or master where there is one, else the current branch. */
async function protectedBranch(root: string, current: string | null): Promise<string> {
  const remote = await gitLine(root, ['symbolic-ref', '--quiet', '--short', 'refs/remotes/origin/HEAD'])
  if (remote !== undefined && remote.startsWith('origin/')) return remote.slice('origin/'.length)
  for (const name of ['main', 'master'])
    if ((await git(root, ['show-ref', '--verify', '--quiet', `refs/heads/${name}`])).code === 0) return name
  return current ?? 'main'
}
