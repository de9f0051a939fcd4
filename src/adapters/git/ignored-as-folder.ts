import { copyFile, lstat, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { splitBytes } from './path-name.ts'
import { gitFault, tryGit } from './run-git.ts'
import type { Store } from './store.ts'
import { bytesPath } from './walk-workspace.ts'

/**
 * Which untracked symlinks stand where a folder would be ignored: dependencies that were put there from a cache.
 * `node_modules/` in .gitignore means folders only, so git itself takes a symlink of that name for a new file.
 * Asked of git, in a scratch folder with the same .gitignore files and a folder in the symlink's place.
 */
export async function ignoredAsFolders(
  store: Store,
  top: string,
  links: readonly string[],
): Promise<ReadonlySet<string>> {
  if (links.length === 0) return new Set()
  const scratch = await mkdtemp(join(store.workspaces, 'ignored-'))
  try {
    for (const link of links) {
      await mkdir(bytesPath(scratch, link), { recursive: true })
      for (const folder of foldersAbove(link)) await copyIgnoreFile(top, scratch, folder)
    }
    const env = { GIT_WORK_TREE: scratch, ...plainPathspecs }
    const args = ['check-ignore', '-z', '--stdin', '--no-index']
    const stdin = Buffer.concat(links.map((link) => atTop(link)))
    const ran = await tryGit({ cwd: scratch, env: store.place.env }, args, { env, stdin })
    // 0: some are ignored; 1: none is.
    if (ran.exitCode > 1) throw await gitFault(args, ran, scratch)
    return new Set(splitBytes(ran.stdout, 0).map((path) => path.toString('latin1').replace(/^\.\//, '')))
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** check-ignore knows no literal pathspecs, and takes a leading colon for magic: `./` in front hides it. */
export const plainPathspecs = { GIT_LITERAL_PATHSPECS: '0' }
export const atTop = (path: string): Buffer => Buffer.from(`./${path}\0`, 'latin1')

function foldersAbove(path: string): readonly string[] {
  const parts = path.split('/')
  return parts.map((_, depth) => parts.slice(0, depth).join('/'))
}

async function copyIgnoreFile(top: string, scratch: string, folder: string): Promise<void> {
  const name = folder === '' ? '.gitignore' : `${folder}/.gitignore`
  const found = await lstat(bytesPath(top, name)).catch(() => undefined)
  if (found?.isFile() !== true || found.size > maxIgnoreBytes) return
  await copyFile(bytesPath(top, name), bytesPath(scratch, name)).catch(() => undefined)
}

const maxIgnoreBytes = 1_000_000
