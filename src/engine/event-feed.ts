import { sql } from 'kysely'
import type { EventFeed, StoredEvent, Subscription } from '../ports/store.ts'
import { channels, listen, type Listener } from './listener.ts'
import type { Database } from './postgres/database.ts'
import { eventColumns, parseEvent, startsWith, type EventRow } from './stored-event.ts'

const pageSize = 500
/** Bounds what a notification that never came could cost. */
const lookMs = 5_000

/**
 * Follows appends of all processes. A notification only says "look"; what is new is read by position, which grows in
 * the order of commits (event-store.ts, invariant 1), so nothing is missed or doubled however often the connection breaks.
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
  let stopped = false
  let wanted = true
  let isWaiting: (() => void) | undefined

  const look = (): void => {
    wanted = true
    isWaiting?.()
  }
  async function run(): Promise<void> {
    let cursor = after ?? (await newestPosition(database))
    ready.resolve()
    while (!stopped) {
      wanted = false
      const { events, upTo } = await readAfter(database, prefix, cursor)
      for (const event of events) {
        if (stopped) return
        await onEvent(event)
      }
      cursor = upTo
      if (events.length === pageSize) continue
      if (!wanted && !stopped) await new Promise<void>((resolve) => (isWaiting = resolve))
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
        stopped = true
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
