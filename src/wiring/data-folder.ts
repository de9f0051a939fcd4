import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Fault } from '../domain/fault.ts'
import type { DatabaseChoice } from '../engine/postgres/database.ts'

/** What is where in a data folder. Only its owner reads it. */
export const dataFolder = (data: string) => ({
  stores: join(data, 'stores'),
  tasks: join(data, 'tasks'),
  rooms: join(data, 'rooms'),
  key: data,
})

/** @throws Fault bad-input when the folder cannot be made */
export async function ensureDataFolder(data: string): Promise<void> {
  try {
    await makeFolder(data)
  } catch (cause) {
    throw new Fault('bad-input', `the data folder ${data} cannot be made`, {
      hint: 'name one that you may write with `--data DIR`',
      cause,
    })
  }
}

/**
 * One level at a time: where the parent is there and still nothing can be made in it (below /proc), a recursive mkdir
 * of Node never comes back.
 */
async function makeFolder(path: string): Promise<void> {
  const missing: string[] = []
  for (let at = resolve(path); !existsSync(at); at = dirname(at)) missing.push(at)
  for (const folder of missing.toReversed())
    await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
}

/** The team's own Postgres where DATABASE_URL names one, else the embedded one of the data folder. */
export const databaseOf = (data: string): DatabaseChoice => {
  const url = process.env['DATABASE_URL']
  return url === undefined || url === '' ? { kind: 'embedded', folder: data } : { kind: 'url', url }
}

/** Installed dependencies are a cache, shared by every data folder of this user. */
export const dependencyFolder = (): string => {
  const cache = process.env['XDG_CACHE_HOME']
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'gaffer', 'dependencies')
}
