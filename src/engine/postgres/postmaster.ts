import { spawn } from 'node:child_process'
import { open, readFile, readlink, rename, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../../domain/fault.ts'
import type { Binaries } from './binaries.ts'
import { isAlive, serverEnvironment, type Cluster } from './cluster.ts'
import { commandAs } from './server-account.ts'
import { afterCorruption, faultOfCode } from './server-fault.ts'

export interface Postmaster {
  readonly pid: number
  readonly port: number
}

/** Settings beside those of every cluster, as `name=value`. */
export type ServerSettings = readonly string[]

/** Small in memory and in processes; every commit still reaches the disk. */
const settings: ServerSettings = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=100',
  'shared_buffers=32MB',
  'max_wal_size=256MB',
  'wal_level=minimal',
  'max_wal_senders=0',
  'max_logical_replication_workers=0',
  'max_parallel_workers_per_gather=0',
  'io_method=sync',
  'jit=off',
  'log_line_prefix=%m [%p] %e ',
  'log_checkpoints=off',
  'log_min_error_statement=panic',
]

const patienceMs = 60_000
const logLimitBytes = 5_000_000

/**
 * Makes sure that the cluster is served, by the postmaster that is there or by a new one (on `port`, or any free one).
 * Safe to repeat, and by several processes at once: Postgres' own lock file decides who serves.
 * @throws Fault database-corrupted, database-unavailable, data-folder-in-use, disk-full, port-taken
 */
export async function ensureServed(input: {
  readonly cluster: Cluster
  readonly binaries: Binaries
  readonly port: number | null
  readonly more: ServerSettings
}): Promise<Postmaster> {
  const { cluster, port } = input
  const deadline = Date.now() + patienceMs
  while (Date.now() < deadline) {
    const found = await readPidFile(cluster)
    if (found !== undefined && (await isServing(cluster, found.pid))) {
      if (found.ready) return { pid: found.pid, port: found.port }
      await pause(10)
      continue
    }
    // Its number went to another process meanwhile; Postgres would believe that it still runs.
    if (found !== undefined && isAlive(found.pid)) await rm(join(cluster.data, 'postmaster.pid'), { force: true })

    const outcome = await start(input, port ?? (await freePort()), deadline)
    if (outcome.kind === 'serving') return outcome.postmaster
    if (outcome.kind === 'fault') throw outcome.fault
    if (outcome.kind === 'port-taken' && port !== null) throw portTaken(port)
    await pause(100)
  }
  throw new Fault('data-folder-in-use', `another Postgres holds ${cluster.data} and does not answer`, {
    hint: 'end the process named in its postmaster.pid, then try again',
    retryable: true,
  })
}

/** Ends it in an orderly way; repeated calls and one that is gone already are fine. */
export async function endPostmaster(cluster: Cluster, { pid }: Postmaster): Promise<void> {
  // Fast shutdown first; after ten seconds immediate, which the next start repairs from the log.
  for (const [signal, limitMs] of [
    ['SIGINT', 10_000],
    ['SIGQUIT', 5_000],
  ] as const) {
    if (!(await isServing(cluster, pid))) return
    process.kill(pid, signal)
    const deadline = Date.now() + limitMs
    while (Date.now() < deadline) {
      if (!(await isServing(cluster, pid))) return
      await pause(10)
    }
  }
}

/** Whether this process is the one that serves the cluster: its working folder is the data folder. */
export async function isServing(cluster: Cluster, pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return isAlive(pid)
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
  if (folder === undefined) return false
  const [there, here] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(cluster.data)]).catch(() => [])
  return there !== undefined && there.ino === here?.ino && there.dev === here.dev
}

type Outcome =
  | { readonly kind: 'serving'; readonly postmaster: Postmaster }
  | { readonly kind: 'somebody-else' }
  | { readonly kind: 'port-taken' }
  | { readonly kind: 'fault'; readonly fault: Fault }

async function start(
  { cluster, binaries, more }: Parameters<typeof ensureServed>[0],
  port: number,
  deadline: number,
): Promise<Outcome> {
  const command = commandAs(cluster.account, [
    binaries.postgres,
    '-D',
    cluster.data,
    '-p',
    String(port),
    ...[...settings, ...more].flatMap((setting) => ['-c', setting]),
  ])
  await trimLog(cluster.log)
  await using log = await open(cluster.log, 'a', 0o600)
  const logStart = (await log.stat()).size
  const [program, ...rest] = command.argv
  // A session of its own: Ctrl-C in our terminal is for us; the server must outlive our last query.
  const child = spawn(program, rest, {
    ...command.spawn,
    cwd: '/',
    env: serverEnvironment(),
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  let ended: Error | true | undefined
  child.once('exit', () => (ended ??= true))
  child.once('error', (error) => (ended = error))
  child.unref()

  while (ended === undefined && Date.now() < deadline) {
    const found = await readPidFile(cluster)
    if (found?.pid === child.pid && found?.ready === true)
      return { kind: 'serving', postmaster: { pid: found.pid, port: found.port } }
    await pause(10)
  }
  if (ended instanceof Error) return { kind: 'fault', fault: notStarted(ended.message, ended) }
  if (ended === undefined) {
    child.kill('SIGQUIT')
    return { kind: 'fault', fault: notStarted('it did not get ready', undefined) }
  }
  return whyEnded(
    (await readFile(cluster.log, 'utf8')).slice(-Math.max(0, (await log.stat()).size - logStart)),
    cluster,
  )
}

/** Reads the server's own last words: each line carries its SQLSTATE. */
function whyEnded(said: string, cluster: Cluster): Outcome {
  if (said.includes('could not bind')) return { kind: 'port-taken' }
  const failures = [...said.matchAll(/ ([0-9A-Z]{5}) (?:FATAL|PANIC): {2}(.*)/g)]
  const codes = failures.map((failure) => failure[1])
  const why = failures.at(-1)?.[2] ?? said.trim().split('\n').at(-1) ?? 'it said nothing'
  if (codes.includes('F0001')) return { kind: 'somebody-else' }
  const fault = codes.map((code) => faultOfCode(code ?? '', why)).find(Boolean)
  if (fault !== undefined) return { kind: 'fault', fault }
  const ofTheMachine = failures.length === 0 || codes.some((code) => code?.startsWith('53') || code === '42501')
  return {
    kind: 'fault',
    fault: ofTheMachine
      ? notStarted(why, undefined)
      : new Fault('database-corrupted', `the database in ${cluster.data} does not start: ${why}`, {
          hint: `${afterCorruption}; the server's log is ${cluster.log}`,
        }),
  }
}

const notStarted = (why: string, cause: unknown): Fault =>
  new Fault('database-unavailable', `the embedded Postgres did not start: ${why}`, {
    hint: 'run `gaffer doctor`, or set DATABASE_URL to a Postgres of your own',
    retryable: true,
    cause,
  })

const portTaken = (port: number): Fault =>
  new Fault('port-taken', `another program took port ${port}, which the database was served on`, {
    hint: 'restart gaffer: it takes a free port',
    retryable: true,
  })

/** Format: src/include/utils/pidfile.h. Absent and half-written files are undefined. */
async function readPidFile(cluster: Cluster): Promise<(Postmaster & { ready: boolean }) | undefined> {
  const text = await readFile(join(cluster.data, 'postmaster.pid'), 'utf8').catch(() => '')
  const lines = text.split('\n')
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return { pid, port: Number(lines[3] ?? 0), ready: lines[7]?.trim() === 'ready' }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has an address and a port')
  return address.port
}

async function trimLog(path: string): Promise<void> {
  const size = await stat(path).then(
    (file) => file.size,
    () => 0,
  )
  if (size > logLimitBytes) await rename(path, `${path}.old`)
}
