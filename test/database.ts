import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { engineMigrations, migrate, type MigrationFolder } from '../src/engine/migrate.ts'
import { openDatabase, type Database } from '../src/engine/postgres/database.ts'

/**
 * A database of its own for each test, on one real Postgres per test file. Call it in a `describe` (or at the top) and
 * the returned function in a test; asking twice in one test gives the same database.
 *
 *     const database = withDatabase()
 *     test('…', async () => { const store = createEventStore(await database()) })
 *
 * `migrations` come after the engine's own. Fsync is off: nothing here outlives the machine.
 */
export function withDatabase({
  migrations = [],
}: { migrations?: readonly MigrationFolder[] } = {}): () => Promise<Database> {
  let server: Server | undefined
  let current: Promise<Database> | undefined

  beforeAll(async () => {
    server = await startServer([engineMigrations, ...migrations])
  })
  afterEach(async () => {
    const database = await current
    current = undefined
    await database?.close()
  })
  afterAll(async () => {
    await server?.stop()
  })

  return () => {
    if (server === undefined) throw new TypeError('ask for the database inside a test')
    return (current ??= server.newDatabase())
  }
}

interface Server {
  newDatabase(): Promise<Database>
  stop(): Promise<void>
}

const template = 'migrated'

async function startServer(migrations: readonly MigrationFolder[]): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'gaffer-test-'))
  const admin = await openDatabase({ kind: 'embedded', folder, settings: ['fsync=off', 'max_connections=200'] })
  await sql`create database ${sql.id(template)}`.execute(admin.queries)
  const first = await openDatabase({ kind: 'url', url: urlOf(admin, template) })
  await migrate(first, migrations)
  await first.close()

  return {
    async newDatabase() {
      const name = `test_${randomBytes(6).toString('hex')}`
      await sql`create database ${sql.id(name)} template ${sql.id(template)}`.execute(admin.queries)
      return openDatabase({ kind: 'url', url: urlOf(admin, name) })
    },
    async stop() {
      await admin.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function urlOf(server: Database, name: string): string {
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return url.href
}
