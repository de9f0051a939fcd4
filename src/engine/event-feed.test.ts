import fc from 'fast-check'
import { sql } from 'kysely'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { withDatabase } from '../../test/database.ts'
import { system } from '../domain/actor.ts'
import { Fault } from '../domain/fault.ts'
import type { Json } from '../domain/json.ts'
import type { StoredEvent } from '../ports/store.ts'
import { createEventFeed } from './event-feed.ts'
import { createEventStore } from './event-store.ts'

const database = withDatabase()
const feeds: ReturnType<typeof createEventFeed>[] = []
afterEach(async () => {
  await Promise.all(feeds.splice(0).map((feed) => feed.close()))
})
const openFeed = async (): Promise<ReturnType<typeof createEventFeed>> => {
  const feed = createEventFeed(await database())
  feeds.push(feed)
  return feed
}
const batch = (commandId: string, ...events: readonly Json[]) => ({
  commandId,
  actor: system('test'),
  events,
  at: '2026-01-02T03:04:05.678Z',
})
const waiting = { timeout: 20_000, interval: 10 }
const until = (condition: () => boolean): Promise<unknown> => vi.waitUntil(condition, waiting)

describe('a follower', () => {
  test('sees every event of all processes once and in order, however the appends run into each other', async () => {
    const feed = await openFeed()
    const stores = [createEventStore(await database()), createEventStore(await database())]
    let round = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ store: fc.nat(1), stream: fc.nat(5), events: fc.integer({ min: 1, max: 4 }) }), {
          minLength: 5,
          maxLength: 40,
        }),
        async (appends) => {
          const prefix = `round${round++}:`
          const seen: StoredEvent[] = []
          const live = feed.follow({ prefix, after: null, onEvent: (event) => void seen.push(event) })
          await live.ready
          const written = await Promise.all(
            appends.map(async ({ store, stream, events }, index) => {
              const name = `${prefix}${stream}`
              for (let version = 0; ;) {
                const outcome = await stores[store]!.append(
                  name,
                  version,
                  batch(`c${index}`, ...Array<Json>(events).fill(index)),
                )
                if (outcome.kind !== 'conflict') return outcome.events
                version = outcome.version
              }
            }),
          )
          const all = written.flat().toSorted((a, b) => a.position - b.position)
          await until(() => seen.length >= all.length)
          expect(seen).toEqual(all)

          const replayed: StoredEvent[] = []
          const late = feed.follow({ prefix, after: 0, onEvent: (event) => void replayed.push(event) })
          await until(() => replayed.length >= all.length)
          expect(replayed).toEqual(all)
          await Promise.all([live.stop(), late.stop()])
        },
      ),
      { numRuns: 12 },
    )
  })

  test('whose connection is cut misses nothing', async () => {
    const open = await database()
    const store = createEventStore(open)
    const feed = await openFeed()
    const seen: Json[] = []
    const subscription = feed.follow({ prefix: 'task:', after: null, onEvent: ({ event }) => void seen.push(event) })
    await subscription.ready
    await store.append('task:a', 0, batch('c1', 1))
    await until(() => seen.length === 1)
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'`.execute(open.queries)
    await store.append('task:a', 1, batch('c2', 2))
    await until(() => seen.length === 2)
    await store.append('task:a', 2, batch('c3', 3))
    await until(() => seen.length === 3)
    expect(seen).toEqual([1, 2, 3])
  })

  test('catches up over many pages, and only on its own streams', async () => {
    const store = createEventStore(await database())
    await store.append('task:a', 0, batch('c1', ...Array.from({ length: 1_200 }, (_, index) => index)))
    await store.append('other:a', 0, batch('c1', ...Array<Json>(700).fill('no')))
    const seen: Json[] = []
    const feed = await openFeed()
    feed.follow({ prefix: 'task:', after: 0, onEvent: ({ event }) => void seen.push(event) })
    await until(() => seen.length >= 1_200)
    await store.append('task:b', 0, batch('c1', 'last'))
    await until(() => seen.length > 1_200)
    expect(seen).toEqual([...Array.from({ length: 1_200 }, (_, index) => index), 'last'])
  })

  test('that throws ends with that error, and the others go on', async () => {
    const store = createEventStore(await database())
    const feed = await openFeed()
    const seen: Json[] = []
    const bad = feed.follow({
      prefix: '',
      after: 0,
      onEvent: () => {
        throw new TypeError('cannot take it')
      },
    })
    feed.follow({ prefix: '', after: 0, onEvent: ({ event }) => void seen.push(event) })
    await store.append('task:a', 0, batch('c1', 1))
    await expect(bad.done).rejects.toThrow('cannot take it')
    await store.append('task:a', 1, batch('c2', 2))
    await until(() => seen.length === 2)
  })

  test('outlives a database that is away for longer than a read has patience, and misses nothing', async () => {
    const open = await database()
    const store = createEventStore(open)
    let reads = 0
    let isAway = true
    const away = new Fault('database-unavailable', 'the database is away', { hint: 'wait for it', retryable: true })
    const feed = createEventFeed({
      ...open,
      patiently: (work) => {
        reads += 1
        return isAway ? Promise.reject(away) : open.patiently(work)
      },
    })
    feeds.push(feed)
    const [fromNow, fromTheStart]: [Json[], Json[]] = [[], []]
    const late = feed.follow({ prefix: '', after: null, onEvent: ({ event }) => void fromNow.push(event) })
    feed.follow({ prefix: '', after: 0, onEvent: ({ event }) => void fromTheStart.push(event) })
    await store.append('task:a', 0, batch('c1', 1))
    await until(() => reads >= 4) // both tried, and tried again
    isAway = false
    await late.ready
    await store.append('task:a', 1, batch('c2', 2))
    await until(() => fromNow.length === 1 && fromTheStart.length === 2)
    isAway = true
    const before = reads
    await store.append('task:a', 2, batch('c3', 3))
    await until(() => reads > before + 1)
    isAway = false
    await until(() => fromNow.length === 2 && fromTheStart.length === 3)
    expect([fromNow, fromTheStart]).toEqual([
      [2, 3],
      [1, 2, 3],
    ])
  })

  test('is stopped at once while the database is away', async () => {
    const open = await database()
    let reads = 0
    const feed = createEventFeed({
      ...open,
      patiently: () => {
        reads += 1
        return Promise.reject(new Fault('database-unavailable', 'the database is away', { hint: 'wait for it' }))
      },
    })
    feeds.push(feed)
    const following = feed.follow({ prefix: '', after: null, onEvent: () => undefined })
    await vi.waitUntil(async () => {
      const listening = await sql`select 1 from pg_stat_activity where query like 'listen %'`.execute(open.queries)
      return reads > 0 && listening.rows.length > 0
    }, waiting)
    await following.stop()
    await expect(following.done).resolves.toBeUndefined()
    await following.ready
  })

  test('that was stopped hears nothing more', async () => {
    const store = createEventStore(await database())
    const feed = await openFeed()
    const seen: Json[] = []
    const stopped = feed.follow({ prefix: '', after: 0, onEvent: ({ event }) => void seen.push(event) })
    await stopped.stop()
    await stopped.done
    const heard: Json[] = []
    feed.follow({ prefix: '', after: 0, onEvent: ({ event }) => void heard.push(event) })
    await store.append('task:a', 0, batch('c1', 1))
    await until(() => heard.length === 1)
    expect(seen).toEqual([])
  })
})
