import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { eventStoreContract } from '../../test/contracts/event-store.ts'
import { withDatabase } from '../../test/database.ts'
import { system } from '../domain/actor.ts'
import type { Json } from '../domain/json.ts'
import { createEventStore } from './event-store.ts'
import type { Database } from './postgres/database.ts'
import { rebuild, type Projection } from './projection.ts'

const database = withDatabase()
const batch = (commandId: string, ...events: readonly Json[]) => ({
  commandId,
  actor: system('test'),
  events,
  at: '2026-01-02T03:04:05.678Z',
})

eventStoreContract('Postgres', async () => createEventStore(await database()))

describe('what was changed behind our back is found', () => {
  const edits: Record<string, { sql: string; version: number }> = {
    'an edited event': { sql: `update gaffer.events set body = '2.5' where version = 2`, version: 2 },
    'an event spelled differently': { sql: `update gaffer.events set body = '2.0' where version = 2`, version: 2 },
    'a replaced actor': {
      sql: `update gaffer.events set actor = '{"kind":"system","part":"x"}' where version = 3`,
      version: 3,
    },
    'an edited time': { sql: `update gaffer.events set at = '2026-01-02T03:04:05.679Z' where version = 1`, version: 1 },
    'a removed event': { sql: `delete from gaffer.events where version = 2`, version: 2 },
    'a removed end': { sql: `delete from gaffer.events where version >= 3`, version: 3 },
    'a removed end with the recorded end': {
      sql: `delete from gaffer.events where version = 4; update gaffer.streams set version = 3`,
      version: 3,
    },
    'a stream with another name': {
      sql: `update gaffer.events set stream = 'task:b'; update gaffer.streams set stream = 'task:b'`,
      version: 1,
    },
    'a body that is no JSON': { sql: `update gaffer.events set body = '{' where version = 4`, version: 4 },
  }
  test.for(Object.entries(edits))('%s', async ([, edit]) => {
    const open = await database()
    const store = createEventStore(open)
    await store.append('task:a', 0, batch('c1', 1, 2, 3, 4))
    await sql.raw(edit.sql).execute(open.queries)
    const [stream] = await store.streams('')
    expect(await store.audit(stream ?? '')).toMatchObject({ kind: 'tampered', version: edit.version })
  })
})

/** Counts events of each stream: a read model in the small. */
const counts: Projection = {
  name: 'counts',
  streamPrefix: 'task:',
  async apply(tx, events) {
    for (const { stream, position, event } of events) {
      if (event === 'refuse me') throw new TypeError('a read model that fails')
      await sql`insert into counts values (${stream}, 1, ${position})
        on conflict (stream) do update set count = counts.count + 1, last = excluded.last`.execute(tx)
    }
  },
  async reset(tx) {
    await sql`delete from counts`.execute(tx)
  },
}
const openWithCounts = async (): Promise<{ open: Database; readCounts: () => Promise<unknown> }> => {
  const open = await database()
  await sql`create table counts (stream text primary key, count int, last bigint)`.execute(open.queries)
  return { open, readCounts: async () => (await sql`select * from counts order by stream`.execute(open.queries)).rows }
}

describe('a read model', () => {
  test('is written with the events, and only for its own streams', async () => {
    const { open, readCounts } = await openWithCounts()
    const store = createEventStore(open, [counts])
    await store.append('task:a', 0, batch('c1', 1, 2))
    await store.append('session:a', 0, batch('c1', 1))
    expect(await readCounts()).toEqual([{ stream: 'task:a', count: 2, last: 2 }])
  })

  test('that fails keeps the events from being written', async () => {
    const { open, readCounts } = await openWithCounts()
    const store = createEventStore(open, [counts])
    await expect(store.append('task:a', 0, batch('c1', 1, 'refuse me'))).rejects.toThrow('a read model that fails')
    expect(await store.read('task:a')).toEqual([])
    expect(await readCounts()).toEqual([])
  })

  test('made again from all events is the one that was kept live', async () => {
    const { open, readCounts } = await openWithCounts()
    const store = createEventStore(open, [counts])
    for (let index = 0; index < 30; index++)
      await store.append(
        `task:${index % 7}`,
        Math.floor(index / 7) * 40,
        batch(`c${index}`, ...Array<Json>(40).fill(1)),
      )
    const live = await readCounts()
    await sql`update counts set count = 0, last = 0`.execute(open.queries)
    await sql`insert into counts values ('task:ghost', 1, 1)`.execute(open.queries)

    expect(await rebuild(open, [counts])).toBe(1_200)
    expect(await readCounts()).toEqual(live)
  })
})
