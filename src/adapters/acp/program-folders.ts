import { realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, relative } from 'node:path'
import { findProgram } from '../../process/find-program.ts'

/**
 * What an agent has to be able to read to start: the folder of its program as it is called and as it really is, with
 * the packages around it, and what its arguments name by absolute path. The command comes from the protected settings.
 */
export async function programFolders(argv: readonly [string, ...string[]], path: string): Promise<readonly string[]> {
  const program = await findProgram(argv[0], path, '/')
  const named = [program, ...argv.slice(1)].filter((word) => word !== undefined && isAbsolute(word))
  const folders = await Promise.all(named.map((word) => foldersOf(word ?? '')))
  return [...new Set(folders.flat())]
}

async function foldersOf(place: string): Promise<readonly string[]> {
  const real = await realpath(place).catch(() => undefined)
  if (real === undefined) return []
  const isFolder = (await stat(real)).isDirectory()
  return [place, real].flatMap((named) => {
    const folder = around(named, isFolder)
    if (!isTooWide(folder)) return [folder]
    return isFolder ? [] : [named]
  })
}

/** A package needs the packages beside it: everything from the outermost `node_modules` on. */
function around(place: string, isFolder: boolean): string {
  const [, modules] = /^(.*?\/node_modules)\//.exec(place) ?? []
  return modules ?? (isFolder ? place : dirname(place))
}

/** Never the home folder, or something that holds it: then it is the one file, or nothing. */
const isTooWide = (folder: string): boolean => {
  const way = relative(folder, homedir())
  return folder === '/' || folder === '/tmp' || way === '' || (!way.startsWith('..') && !isAbsolute(way))
}
