import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseError, DatabaseTimeout } from '../src/database/database.ts'
import { emptyDatabase, lock, openDatabase } from './database-under-test.ts'

const insert = 'INSERT INTO products (sku, name, price_cents) VALUES (?, ?, ?)'
const count = 'SELECT count(*) AS products FROM products'

test('transactions at once take turns', async () => {
  const database = await emptyDatabase()
  const seen: string[] = []
  const steps = async (name: string): Promise<void> => {
    await database.transaction(async ({ query }) => {
      seen.push(`${name} begins`)
      await query(count)
      seen.push(`${name} ends`)
    })
  }
  await Promise.all([steps('first'), steps('second')])
  assert.deepEqual(seen, ['first begins', 'first ends', 'second begins', 'second ends'])
})

test('a transaction that fails is rolled back before the next one begins', async () => {
  const database = await emptyDatabase()
  const failed = database.transaction(async ({ query }) => {
    await query(insert, 'PENCIL', 'Pencil', 1)
    throw new Error('changed my mind')
  })
  const next = database.transaction(({ query }) => query(count))
  await assert.rejects(failed, /changed my mind/)
  assert.deepEqual(await next, [{ products: 0 }])
})

test('a statement that SQLite refuses is told with its code', async () => {
  const database = await emptyDatabase()
  await assert.rejects(database.query('SELECT nothing FROM nowhere'), DatabaseError)
})

test('a lock that another connection holds ends in a time-out, and the next caller is answered', async (t) => {
  const { database, file } = await openDatabase(t, { timeoutMs: 60 })
  const release = lock(file)
  await assert.rejects(database.query(count), DatabaseTimeout)
  await assert.rejects(
    database.transaction(({ query }) => query(insert, 'PENCIL', 'Pencil', 1)),
    DatabaseTimeout,
  )
  release()
  assert.deepEqual(await answered(() => database.query(count)), [{ products: 0 }])
})

/** On a busy machine even a free database may be late a few times. */
async function answered<T>(ask: () => Promise<T>, attempts = 40): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof DatabaseTimeout) || attempts === 0) throw error
    return answered(ask, attempts - 1)
  }
}

test('a statement that is slow ends in a time-out', async (t) => {
  const { database } = await openDatabase(t, { timeoutMs: 5 })
  // Takes many times the limit, and ends soon after.
  const slow = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250000) SELECT sum(i) FROM n'
  await assert.rejects(database.query(slow), DatabaseTimeout)
})

test('a database that was closed refuses at once', async (t) => {
  const { database } = await openDatabase(t)
  await database.close()
  await assert.rejects(database.query(count), /closed/)
})
