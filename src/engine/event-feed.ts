import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import type { EventFeed, StoredEvent, Subscription } from '../ports/store.ts'
import { channels, listen, type Listener } from './listener.ts'
import type { Database } from './postgres/database.ts'
import { eventColumns, parseEvent, startsWith, type EventRow } from './stored-event.ts'

const pageSize = 500
/** Bounds what a notification that never came could cost. */
const lookMs = 5_000
/** Between two tries to read while the database is away; each try has a patience of its own. */
const againMs = 1_000

/**
 * Follows appends of all processes. A notification only says "look"; what is new is read by position, which grows in
 * the order of commits (event-store.ts, invariant 1), so nothing is missed or doubled however often the connection breaks.
 * A read that fails is tried again for as long as somebody follows: only a callback that throws ends a subscription.
 */
export function createEventFeed(database: Database): EventFeed & { close(): Promise<void> } {
  const followers = new Set<Follower>()
  const lookAll = (): void => followers.forEach((follower) => follower.look())
  let listener: Listener | undefined
  let timer: NodeJS.Timeout | undefined

  return {
    follow(input) {
      listener ??= listen(database, channels.events, lookAll)
      timer ??= setInterval(lookAll, lookMs).unref()
      const follower = createFollower(database, input)
      followers.add(follower)
      const leave = (): void => void followers.delete(follower)
      follower.subscription.done.then(leave, leave)
      return follower.subscription
    },
    async close() {
      clearInterval(timer)
      await Promise.all([...followers].map(({ subscription }) => subscription.stop()))
      await listener?.close()
    },
  }
}

interface Follower {
  readonly subscription: Subscription
  look(): void
}

function createFollower(database: Database, { prefix, after, onEvent }: Parameters<EventFeed['follow']>[0]): Follower {
  const ready = Promise.withResolvers<void>()
  const stopping = new AbortController()
  let wanted = true
  let isWaiting: (() => void) | undefined

  const look = (): void => {
    wanted = true
    isWaiting?.()
  }
  /** What was read, however long the database is away; undefined once it was stopped. */
  async function untilRead<Answer>(read: () => Promise<Answer>): Promise<Answer | undefined> {
    while (!stopping.signal.aborted) {
      try {
        return await read()
      } catch {
        await pause(againMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
      }
    }
    return undefined
  }
  async function run(): Promise<void> {
    let cursor = after ?? (await untilRead(() => newestPosition(database))) ?? 0
    ready.resolve()
    while (!stopping.signal.aborted) {
      wanted = false
      const from = cursor
      const page = await untilRead(() => readAfter(database, prefix, from))
      for (const event of page?.events ?? []) {
        if (stopping.signal.aborted) return
        await onEvent(event)
      }
      cursor = page?.upTo ?? from
      if (page?.events.length === pageSize) continue
      if (!wanted && !stopping.signal.aborted) await new Promise<void>((resolve) => (isWaiting = resolve))
    }
  }

  const done = run().finally(() => ready.resolve())
  // Whoever cares for the error waits for `done`; for everybody else it must not end the process.
  done.catch(() => undefined)
  return {
    look,
    subscription: {
      ready: ready.promise,
      done,
      async stop() {
        stopping.abort()
        isWaiting?.()
        await done.catch(() => undefined)
      },
    },
  }
}

const newestPosition = (database: Database): Promise<number> =>
  database.patiently(async (queries) => {
    const { rows } = await sql<{ newest: number }>`
      select coalesce(max(position), 0) as newest from gaffer.events`.execute(queries)
    return rows[0]?.newest ?? 0
  })

/** One page, and how far it reaches: events of other streams are passed over for good. */
const readAfter = (
  database: Database,
  prefix: string,
  cursor: number,
): Promise<{ events: readonly StoredEvent[]; upTo: number }> =>
  database.patiently(async (queries) => {
    const newest = await sql<{ newest: number }>`
      select coalesce(max(position), 0) as newest from gaffer.events`.execute(queries)
    const end = newest.rows[0]?.newest ?? 0
    if (end <= cursor) return { events: [], upTo: cursor }
    const { rows } = await sql<EventRow>`
      select ${eventColumns} from gaffer.events
      where position > ${cursor} and position <= ${end} and ${startsWith(prefix)}
      order by position limit ${pageSize}`.execute(queries)
    const events = rows.map(parseEvent)
    return { events, upTo: events.length === pageSize ? (events.at(-1)?.position ?? end) : end }
  })
