import { sql } from 'kysely'
import type { Database } from '../postgres/database.ts'
import { isSurelyGone } from './executor-id.ts'

/**
 * An executor that died leaves its workflows PENDING for ever, unless another takes them over.
 *
 * An executor is dead when its process is gone (seen from the same machine), or when it has not been heard of for
 * `unseenMs`, or never. Taking over from one that only slept is safe: DBOS fences it, and its next record fails.
 * Workflows are taken over first and the heartbeat is deleted after, so that a crash in between is repeated.
 */
export interface RecoveryTimes {
  readonly beatMs: number
  readonly unseenMs: number
}
export const usualTimes: RecoveryTimes = { beatMs: 5_000, unseenMs: 30_000 }

export interface Recovery {
  /** One beat and one sweep, now. */
  sweep(): Promise<void>
  close(): Promise<void>
}

export async function startRecovery(input: {
  readonly database: Database
  readonly executorId: string
  readonly times: RecoveryTimes
  /** Puts the PENDING workflows of an executor back into their queues. */
  readonly recover: (executorId: string) => Promise<void>
}): Promise<Recovery> {
  const { database, executorId, times, recover } = input
  let lastBeat = performance.now()
  await beat(database, executorId)

  async function sweep(): Promise<void> {
    await beat(database, executorId)
    // After a long pause of the whole machine everybody looks unseen: let the others beat first.
    const paused = performance.now() - lastBeat > times.unseenMs / 2
    lastBeat = performance.now()
    if (paused) return
    for (const dead of await findDead(database, executorId, times.unseenMs)) {
      await recover(dead)
      await database.patiently((queries) => sql`delete from gaffer.executors where id = ${dead}`.execute(queries))
    }
  }

  let closed = false
  let timer: NodeJS.Timeout | undefined
  let sweeping: Promise<void> = Promise.resolve()
  function next(): void {
    timer = setTimeout(() => {
      sweeping = sweepAndGoOn()
    }, times.beatMs).unref()
  }
  async function sweepAndGoOn(): Promise<void> {
    await sweep().catch(() => undefined) // made up for by the next
    if (!closed) next()
  }
  next()

  return {
    sweep,
    async close() {
      closed = true
      clearTimeout(timer)
      await sweeping
    },
  }
}

/** Said when an executor ends in order: whatever it left may be taken over at once. */
export const sayGoodbye = async (database: Database, executorId: string): Promise<void> => {
  await sql`delete from gaffer.executors where id = ${executorId}`.execute(database.queries)
}

const beat = (database: Database, executorId: string): Promise<unknown> =>
  database.patiently((queries) =>
    sql`insert into gaffer.executors (id) values (${executorId}) on conflict (id) do update set seen_at = now()`.execute(
      queries,
    ),
  )

async function findDead(database: Database, executorId: string, unseenMs: number): Promise<readonly string[]> {
  const { rows } = await database.patiently((queries) =>
    sql<{ id: string; unseen: boolean }>`
      select id, seen_at is null or seen_at < now() - make_interval(secs => ${unseenMs / 1000}) as unseen
      from (select distinct executor_id as id from dbos.workflow_status where status = 'PENDING') as busy
      full join gaffer.executors using (id)
      where id is not null and id <> ${executorId}`.execute(queries),
  )
  return rows.filter(({ id, unseen }) => unseen || isSurelyGone(id)).map(({ id }) => id)
}
