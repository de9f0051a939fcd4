import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Fault } from '../../domain/fault.ts'
import type { Binaries } from './binaries.ts'
import { chooseAccount, commandAs, type ServerAccount } from './server-account.ts'
import { afterCorruption } from './server-fault.ts'

/** The files of one embedded Postgres: `postgres/` in Gaffer's data folder, for the owner's eyes only. */
export interface Cluster {
  /** What Postgres calls PGDATA. */
  readonly data: string
  readonly log: string
  readonly password: string
  readonly account: ServerAccount
}

export const clusterUser = 'gaffer'
export const clusterDatabase = 'postgres'

/**
 * Opens the cluster of a data folder, making it on first use. A cluster appears whole or not at all, so a crash on
 * the way leaves nothing half made, and of two processes at once one wins and both use it.
 * @throws Fault database-corrupted, database-unavailable, disk-full
 */
export async function openCluster(folder: string, binaries: Binaries): Promise<Cluster> {
  const home = join(folder, 'postgres')
  try {
    await mkdir(folder, { recursive: true })
    if (!(await exists(home))) await createCluster(folder, home, binaries)
    return await readCluster(home)
  } catch (error) {
    if (error instanceof Fault) throw error
    throw faultOfFolder(error, home)
  }
}

async function readCluster(home: string): Promise<Cluster> {
  const data = join(home, 'data')
  const password = await readFile(join(home, 'password'), 'utf8').catch(gone)
  const parts = ['PG_VERSION', 'global/pg_control', 'pg_wal', 'base'].map((part) => exists(join(data, part)))
  if (password === undefined || (await Promise.all(parts)).includes(false))
    throw new Fault('database-corrupted', `${home} is not a whole database: files are missing`, {
      hint: afterCorruption,
    })
  const { uid, gid } = await stat(data)
  const account = await chooseAccount({ uid, gid })
  await letIn(account, home)
  return { data, log: join(home, 'log'), password, account }
}

async function createCluster(folder: string, home: string, binaries: Binaries): Promise<void> {
  await removeLeftovers(folder)
  const draft = await mkdtemp(join(folder, draftPrefix(process.pid)))
  try {
    const account = await chooseAccount(null)
    const data = join(draft, 'data')
    const password = join(draft, 'password')
    await mkdir(data, { mode: 0o700 })
    await writeFile(password, randomBytes(24).toString('hex'), { mode: 0o600 })
    const { argv, spawn } = commandAs(account, [
      binaries.initdb,
      `--pgdata=${data}`,
      `--pwfile=${password}`,
      `--username=${clusterUser}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      // Stretching is for passwords that people think up; ours is 192 random bits and every connection pays.
      '--set=scram_iterations=1',
    ])
    await letIn(account, draft)
    if (account.kind === 'other') for (const path of [data, password]) await chown(path, account.uid, account.gid)
    const [program, ...rest] = argv
    await promisify(execFile)(program, rest, { ...spawn, env: serverEnvironment(), maxBuffer: 16_000_000 })
    if (account.kind === 'other') await chown(password, 0, 0)
    await rename(draft, home)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // Somebody else was first: theirs is as good.
    if (await exists(join(home, 'data', 'PG_VERSION'))) return
    throw error
  }
}

/** An account that cannot pass through folders of root's gets the right to pass through this one, and to list nothing. */
async function letIn(account: ServerAccount, folder: string): Promise<void> {
  if (account.kind === 'ourselves' || account.passes) return
  await chown(folder, 0, account.gid)
  await chmod(folder, 0o710)
}

/** Drafts of processes that were killed while they made one. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^postgres\.draft-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { recursive: true, force: true })
  }
}

const draftPrefix = (pid: number): string => `postgres.draft-${pid}-`

/** Nothing of our own environment: it may hold secrets, and PG* variables would change what the server does. */
export const serverEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
})

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function faultOfFolder(cause: unknown, home: string): Fault {
  const isFull = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC'
  const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : ''
  // initdb says it in words only: one for a write that failed, one for a file that could not grow.
  if (isFull || stderr.includes('No space left on device') || stderr.includes('Check free disk space'))
    return new Fault('disk-full', `there is no room for a database in ${home}`, {
      hint: 'free about 60 MB on that disk, or give another data folder',
      retryable: true,
      cause,
    })
  const why = stderr.split('\n')[0] || (cause instanceof Error ? cause.message : String(cause))
  return new Fault('database-unavailable', `the database folder ${home} cannot be used: ${why}`, {
    hint: 'see that the folder belongs to you and can be written, or give another data folder',
    cause,
  })
}

const gone = (error: NodeJS.ErrnoException): undefined => {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw error
}
const exists = async (path: string): Promise<boolean> => (await stat(path).catch(gone)) !== undefined
