import pg from 'pg'
import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../../domain/fault.ts'
import { locks } from '../locks.ts'
import { findBinaries } from './binaries.ts'
import { clusterDatabase, clusterUser, openCluster } from './cluster.ts'
import { endPostmaster, ensureServed, isServing, type Postmaster, type ServerSettings } from './postmaster.ts'

/**
 * The embedded server as one process sees it. Whoever needs it first starts it, everybody else joins, whoever finds it
 * dead starts it again on the same port, and the last one to leave stops it.
 */
export interface EmbeddedServer {
  readonly url: string
  /** Why it is down at the moment; null while it serves. */
  trouble(): Fault | null
  /** Leaves; stops the server when nobody else is connected to it. Safe to repeat. */
  leave(): Promise<void>
}

const watchMs = 250
const slowestWatchMs = 10_000

export async function joinServer(input: {
  readonly folder: string
  /** Marks our own connections, so that others' can be told apart. */
  readonly applicationName: string
  readonly more?: ServerSettings
}): Promise<EmbeddedServer> {
  const binaries = await findBinaries()
  const cluster = await openCluster(input.folder, binaries)
  const serve = (port: number | null): Promise<Postmaster> =>
    ensureServed({ cluster, binaries, port, more: input.more ?? [] })

  let postmaster = await serve(null)
  const { port } = postmaster
  const url =
    `postgresql://${clusterUser}:${cluster.password}@127.0.0.1:${port}/${clusterDatabase}` +
    `?application_name=${encodeURIComponent(input.applicationName)}`

  let trouble: Fault | null = null
  let watching = true
  let delayMs = watchMs
  let timer: NodeJS.Timeout | undefined
  let checking: Promise<void> = Promise.resolve()

  async function check(): Promise<void> {
    try {
      if (!(await isServing(cluster, postmaster.pid))) postmaster = await serve(port)
      trouble = null
      delayMs = watchMs
    } catch (error) {
      trouble = error as Fault
      delayMs = Math.min(delayMs * 2, slowestWatchMs)
    }
    if (watching) watch()
  }
  function watch(): void {
    timer = setTimeout(() => {
      checking = check()
    }, delayMs).unref()
  }
  watch()

  return {
    url,
    trouble: () => trouble,
    async leave() {
      if (!watching) return
      watching = false
      clearTimeout(timer)
      await checking
      if (await isAnybodyElse(url, input.applicationName)) return
      await endPostmaster(cluster, postmaster)
    },
  }
}

/** Asked under a lock, so that of two who leave at once the second sees that the first has gone. */
async function isAnybodyElse(url: string, applicationName: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select pg_advisory_lock($1)', [locks.leaving])
    for (let attempt = 0; attempt < 5; attempt++) {
      const { rowCount } = await client.query(
        `select 1 from pg_stat_activity where backend_type = 'client backend' and application_name <> $1`,
        [applicationName],
      )
      if (rowCount === 0) return false
      await pause(30)
    }
    return true
  } catch {
    return false // It does not answer: nobody is served, and an orderly end is all that is left to try.
  } finally {
    await client.end().catch(() => undefined)
  }
}
