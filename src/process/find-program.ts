import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

/** Where a program is: its absolute path, found as a shell would find it; undefined when it is nowhere. */
export async function findProgram(program: string, path: string, cwd: string): Promise<string | undefined> {
  if (program.includes('/')) return (await isExecutable(resolve(cwd, program))) ? resolve(cwd, program) : undefined
  const folders = path.split(delimiter).filter((folder) => isAbsolute(folder))
  const places = folders.map((folder) => join(folder, program))
  const there = await Promise.all(places.map(isExecutable))
  return places.find((_, index) => there[index] === true)
}

const isExecutable = async (place: string): Promise<boolean> => {
  const found = await stat(place).catch(() => undefined)
  if (found?.isFile() !== true) return false
  return access(place, constants.X_OK).then(
    () => true,
    () => false,
  )
}
