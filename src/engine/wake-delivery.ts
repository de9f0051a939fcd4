import { sql } from 'kysely'
import type { Flows } from '../ports/flow.ts'
import { channels, listen } from './listener.ts'
import { locks } from './locks.ts'
import type { Database, Queries } from './postgres/database.ts'

export interface WakeDelivery {
  close(): Promise<void>
}

const pageSize = 200

/**
 * Brings the wakes that were written with events to their workflows: at once when told, and on a sweep for those that a
 * crash left behind. At least once: a workflow that is woken twice looks twice. Every process may run one.
 */
export function deliverWakes(input: {
  readonly database: Database
  readonly flows: Pick<Flows, 'wake'>
  readonly sweepMs?: number
}): WakeDelivery {
  const { database, flows, sweepMs = 5_000 } = input
  let running: Promise<void> | undefined
  let again = false

  const drain = async (): Promise<void> => {
    do {
      again = false
      // What fails now is still in the outbox at the next sweep.
      await database.patiently((queries) => deliverAll(queries, flows)).catch(() => undefined)
    } while (again)
    running = undefined
  }
  const look = (): void => {
    again = true
    running ??= drain()
  }
  const listener = listen(database, channels.wakes, look)
  const timer = setInterval(look, sweepMs).unref()

  return {
    async close() {
      clearInterval(timer)
      await listener.close()
      await running
    },
  }
}

async function deliverAll(queries: Queries, flows: Pick<Flows, 'wake'>): Promise<void> {
  for (;;) {
    const delivered = await queries.transaction().execute(async (tx) => {
      // One deliverer at a time; the others find an empty outbox afterwards.
      await sql`select pg_advisory_xact_lock(${locks.wakes})`.execute(tx)
      const { rows } = await sql<{ id: number; workflow: string }>`
        select id, workflow from gaffer.wakes order by id limit ${pageSize}`.execute(tx)
      if (rows.length === 0) return 0
      for (const workflow of new Set(rows.map((row) => row.workflow))) await flows.wake(workflow)
      await sql`delete from gaffer.wakes where id = any(${rows.map((row) => row.id)}::bigint[])`.execute(tx)
      return rows.length
    })
    if (delivered < pageSize) return
  }
}
