import { lstat, mkdir, readdir, readFile, readlink, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unavailable } from './lockfile.ts'

/** Says in a node_modules that it is ours, and which install it shows. */
export const mark = '.gaffer-install'

/**
 * Makes the node_modules of an install appear in a checkout: a folder of its own with a symlink for each package, so
 * that tools may keep caches in it while the packages stay where they are, shared and read-only. Links between
 * workspaces lead to the checkout's own folders. Safe to repeat.
 * @param at folders that may have a node_modules, relative, '' being the root
 * @throws Fault dependencies-unavailable when the checkout has a node_modules that is not ours
 */
export async function expose(install: string, checkout: string, at: readonly string[]): Promise<void> {
  const real = await realpath(checkout)
  await Promise.all(
    at.map(async (folder) => {
      const from = join(install, folder, 'node_modules')
      const to = join(checkout, folder, 'node_modules')
      // An agent may have put a symlink where its workspace had a folder.
      if ((await realpath(join(checkout, folder)).catch(() => undefined)) !== join(real, folder))
        throw unavailable(`${folder} is not a folder of its own`, 'put back the folder that the lockfile names')
      if (!(await makeRoom(to, from))) return
      const names = await readdir(from).catch(() => undefined)
      if (names === undefined) return
      await mkdir(to)
      await writeFile(join(to, mark), from)
      await linkAll(from, to, names)
    }),
  )
}

/** Whether there is something to do. What an earlier install left is taken away. */
async function makeRoom(to: string, from: string): Promise<boolean> {
  const there = await lstat(to).catch(() => undefined)
  if (there === undefined) return true
  const shown = there.isDirectory() ? await readMark(join(to, mark)) : undefined
  if (shown === from) return false
  if (shown === undefined)
    throw unavailable(`${to} is there already`, 'take node_modules out of the repository and put it into .gitignore')
  await rm(to, { recursive: true, force: true })
  return true
}

/** Who owns the folder may have put a pipe there, which would never end. */
async function readMark(path: string): Promise<string | undefined> {
  const about = await lstat(path).catch(() => undefined)
  return about?.isFile() === true && about.size < 4_096 ? readFile(path, 'utf8') : undefined
}

async function linkAll(from: string, to: string, names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      const [source, target] = [join(from, name), join(to, name)]
      const about = await lstat(source)
      if (about.isSymbolicLink()) return symlink(await readlink(source), target) // a workspace, or a program in .bin
      if (name !== '.bin' && !name.startsWith('@')) return symlink(source, target)
      await mkdir(target)
      return linkAll(source, target, await readdir(source))
    }),
  )
}
