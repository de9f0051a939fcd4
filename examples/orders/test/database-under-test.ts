import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, type TestContext } from 'node:test'
import { Database } from '../src/database/database.ts'

let shared: Promise<Database> | undefined
after(async () => (await shared)?.close())

/** An empty database in memory. Its thread is shared by all tests of the process: it takes longer to start than most of them. */
export async function emptyDatabase(): Promise<Database> {
  shared ??= Database.open(':memory:', { timeoutMs: 5_000 })
  const database = await shared
  await database.transaction(async ({ query }) => {
    for (const table of ['order_lines', 'orders', 'products']) await query(`DELETE FROM ${table}`)
  })
  return database
}

/** A database in a file of its own, both gone when the test has ended. */
export async function openDatabase(
  t: TestContext,
  { timeoutMs = 5_000 } = {},
): Promise<{ database: Database; file: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'orders-'))
  const file = join(folder, 'orders.sqlite')
  const database = await Database.open(file, { timeoutMs })
  t.after(async () => {
    await database.close()
    rmSync(folder, { recursive: true })
  })
  return { database, file }
}

/** Holds the file as the nightly import does; returns what lets it go. */
export function lock(file: string): () => void {
  const other = new DatabaseSync(file)
  other.exec('BEGIN EXCLUSIVE')
  return () => other.close()
}
