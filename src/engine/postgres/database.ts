import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { Fault } from '../../domain/fault.ts'
import { surviveLostConnections } from './lost-connections.ts'
import { joinServer, type EmbeddedServer } from './embedded.ts'
import type { ServerSettings } from './postmaster.ts'
import { faultOfDatabase } from './server-fault.ts'

export type DatabaseChoice =
  /** A Postgres of the team's own (14 or later), as in DATABASE_URL. */
  | { readonly kind: 'url'; readonly url: string }
  /** Gaffer's own, in `postgres/` below this folder; shared by every process that names the same folder. */
  | { readonly kind: 'embedded'; readonly folder: string; readonly settings?: ServerSettings }

/** Kysely without table types: every query is a `sql` template whose rows are parsed where they are read. */
export type Queries = Kysely<unknown>

export interface Database {
  readonly kind: DatabaseChoice['kind']
  /** For those who need connections of their own. Holds the password: not for logs, events or argv. */
  readonly url: string
  readonly queries: Queries
  /**
   * Runs work that is safe to repeat, again and again for some seconds while the server is away.
   * @throws Fault database-unavailable, database-corrupted, disk-full
   */
  patiently<T>(work: (queries: Queries) => Promise<T>): Promise<T>
  /** Ends our connections, and the embedded server with the last of its users. Safe to repeat. */
  close(): Promise<void>
}

/** How long a server may be away (restart, failover, kill -9) before that becomes the caller's problem. */
const patienceMs = 15_000

/**
 * @throws Fault bad-settings, database-unavailable, database-corrupted, data-folder-in-use, disk-full
 */
export async function openDatabase(choice: DatabaseChoice): Promise<Database> {
  surviveLostConnections()
  const applicationName = `gaffer ${process.pid} ${randomBytes(4).toString('hex')}`
  const server = choice.kind === 'embedded' ? await join(choice, applicationName) : null
  const url = server?.url ?? readUrl(choice.kind === 'url' ? choice.url : '')
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName,
    max: 10,
    connectionTimeoutMillis: 5_000,
    types: { getTypeParser },
  })
  // A connection that breaks while it is idle concerns nobody: the next query gets a new one.
  pool.on('error', () => undefined)
  const queries: Queries = new Kysely({ dialect: new PostgresDialect({ pool }) })
  let closing: Promise<void> | undefined

  const database: Database = {
    kind: choice.kind,
    url,
    queries,
    async patiently(work) {
      const deadline = Date.now() + patienceMs
      for (;;) {
        try {
          return await work(queries)
        } catch (error) {
          const fault = faultOfDatabase(error)
          if (fault === undefined) throw error
          const trouble = server?.trouble() ?? null
          const isAway = fault.code === 'database-unavailable' && fault.retryable && closing === undefined
          if (!isAway || Date.now() > deadline) throw trouble ?? fault
          await pause(50)
        }
      }
    },
    close: () =>
      (closing ??= (async () => {
        await queries.destroy()
        await server?.leave()
      })()),
  }
  try {
    await greet(database)
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}

const join = (choice: DatabaseChoice & { kind: 'embedded' }, applicationName: string): Promise<EmbeddedServer> =>
  joinServer({ folder: choice.folder, applicationName, more: choice.settings ?? [] })

/** For health checks and `gaffer doctor`: asks the server something now, without patience. */
export async function pingDatabase({ queries }: Database): Promise<{ readonly version: string }> {
  try {
    const { rows } = await sql<{ server_version: string }>`show server_version`.execute(queries)
    return { version: rows[0]?.server_version ?? 'unknown' }
  } catch (error) {
    throw faultOfDatabase(error) ?? error
  }
}

const oldestVersion = 14

async function greet(database: Database): Promise<void> {
  const { version } =
    database.kind === 'embedded' ? await database.patiently(() => pingDatabase(database)) : await pingDatabase(database)
  if (Number.parseInt(version, 10) >= oldestVersion) return
  throw new Fault('database-unavailable', `this is Postgres ${version}`, {
    hint: `give Gaffer a Postgres ${oldestVersion} or later in DATABASE_URL`,
  })
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'postgresql:' || url?.protocol === 'postgres:') return text
  throw new Fault('bad-settings', 'DATABASE_URL is not the address of a Postgres', {
    hint: 'write it as postgresql://user:password@host:5432/database',
  })
}

/** bigint columns hold counts and positions, all far below 2^53. */
const getTypeParser: typeof pg.types.getTypeParser = (id: number, format?: 'text' | 'binary') =>
  id === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(id, format === 'binary' ? 'text' : format)
