import { sql } from 'kysely'
import type { StoredEvent } from '../ports/store.ts'
import { locks } from './locks.ts'
import type { Database, Queries } from './postgres/database.ts'
import { eventColumns, parseEvent, startsWith, type EventRow } from './stored-event.ts'

/**
 * A read model kept in step with the events: it is written in the transaction that appends them, so that a reader sees
 * both or neither. Everything in its tables can be made again from the events.
 */
export interface Projection {
  readonly name: string
  /** Only streams whose name starts so. */
  readonly streamPrefix: string
  /** Events of one stream, in order. Must not look at anything but them and its own tables. */
  apply(tx: Queries, events: readonly StoredEvent[]): Promise<void>
  /** Empties its tables. */
  reset(tx: Queries): Promise<void>
}

const pageSize = 500

/**
 * Makes read models again from all events, for `gaffer rebuild`: all or nothing, while appends wait. Safe to repeat.
 * @returns how many events were replayed
 * @throws Fault database-unavailable, database-corrupted, disk-full
 */
export async function rebuild(database: Database, projections: readonly Projection[]): Promise<number> {
  return database.patiently((queries) =>
    queries.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(${locks.append})`.execute(tx)
      let replayed = 0
      for (const projection of projections) {
        await projection.reset(tx)
        for await (const events of replay(tx, projection.streamPrefix)) {
          await projection.apply(tx, events)
          replayed += events.length
        }
      }
      return replayed
    }),
  )
}

/** All events in the order they happened, in runs of one stream. */
async function* replay(tx: Queries, prefix: string): AsyncGenerator<readonly StoredEvent[]> {
  let after = 0
  for (;;) {
    const { rows } = await sql<EventRow>`
      select ${eventColumns} from gaffer.events
      where position > ${after} and ${startsWith(prefix)} order by position limit ${pageSize}`.execute(tx)
    let run: StoredEvent[] = []
    for (const event of rows.map(parseEvent)) {
      if (run[0] !== undefined && run[0].stream !== event.stream) {
        yield run
        run = []
      }
      run.push(event)
    }
    if (run.length > 0) yield run
    after = rows.at(-1)?.position ?? after
    if (rows.length < pageSize) return
  }
}
