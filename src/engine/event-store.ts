import { sql } from 'kysely'
import type { Digest } from '../domain/ids.ts'
import { digest } from '../domain/ids.ts'
import { canonicalJson, type Json } from '../domain/json.ts'
import type { Appended, EventBatch, EventStore, StoredEvent } from '../ports/store.ts'
import { auditChain, hashEvent, rootHash, type ChainLink } from './hash-chain.ts'
import { channels } from './listener.ts'
import { locks } from './locks.ts'
import type { Database, Queries } from './postgres/database.ts'
import type { Projection } from './projection.ts'
import { eventColumns, parseEvent, startsWith, type EventRow } from './stored-event.ts'

/**
 * Invariants:
 * 1. Appends run one after another (an advisory lock held to the commit), so positions grow in the order of commits:
 *    who has seen position n will never see a smaller one appear.
 * 2. A batch, its read models, its wakes and its notification are one transaction.
 * 3. A stream's versions are 1..n with no gap, and `streams` records n and the hash of event n.
 * 4. A command is in a stream at most once.
 *
 * Methods throw Fault database-unavailable, database-corrupted, disk-full; all are safe to repeat. */
export function createEventStore(database: Database, projections: readonly Projection[] = []): EventStore {
  return {
    read: (stream, after = 0) =>
      database.patiently(async (queries) => {
        const { rows } = await sql<EventRow>`
          select ${eventColumns} from gaffer.events
          where stream = ${stream} and version > ${after} order by version`.execute(queries)
        return rows.map(parseEvent)
      }),

    append: (stream, expected, batch) =>
      database.patiently((queries) =>
        queries.transaction().execute((tx) => append(tx, projections, { stream, expected, batch })),
      ),

    audit: (stream) =>
      database.patiently(async (queries) => {
        // One statement, one snapshot: an append in between would look like tampering.
        const { rows } = await sql<{ links: readonly ChainLink[] | null; version: number | null; head: string | null }>`
          select (
            select json_agg(json_build_object('version', version, 'commandId', command_id, 'actor', actor,
              'at', at, 'body', body, 'hash', hash) order by version)
            from gaffer.events where stream = ${stream}
          ) as links, version, head
          from (values (1)) as one left join gaffer.streams on stream = ${stream}`.execute(queries)
        const { links, version, head } = rows[0] ?? { links: null, version: null, head: null }
        return auditChain(stream, links ?? [], version === null || head === null ? undefined : { version, head })
      }),

    streams: (prefix) =>
      database.patiently(async (queries) => {
        const { rows } = await sql<{ stream: string }>`
          select stream from gaffer.streams where ${startsWith(prefix)} order by stream`.execute(queries)
        return rows.map((row) => row.stream)
      }),
  }
}

async function append(
  tx: Queries,
  projections: readonly Projection[],
  { stream, expected, batch }: { stream: string; expected: number; batch: EventBatch },
): Promise<Appended> {
  // A statement of its own: the next one must see what was committed while this one waited.
  await sql`select pg_advisory_xact_lock(${locks.append})`.execute(tx)
  const { rows } = await sql<{ version: number; head: string | null; repeated: boolean }>`
    select coalesce(version, 0) as version, head, exists (
      select 1 from gaffer.events where stream = ${stream} and command_id = ${batch.commandId}
    ) as repeated
    from (values (1)) as one left join gaffer.streams on stream = ${stream}`.execute(tx)
  const { version, head, repeated } = rows[0] ?? { version: 0, head: null, repeated: false }

  if (repeated) return { kind: 'repeated', events: await readCommand(tx, stream, batch.commandId) }
  if (version !== expected) return { kind: 'conflict', version }

  const events = await insert(tx, {
    stream,
    after: version,
    head: head === null ? rootHash(stream) : digest(head),
    batch,
  })
  for (const projection of projections)
    if (events.length > 0 && stream.startsWith(projection.streamPrefix)) await projection.apply(tx, events)
  return { kind: 'appended', events }
}

async function readCommand(tx: Queries, stream: string, commandId: string): Promise<readonly StoredEvent[]> {
  const { rows } = await sql<EventRow>`
    select ${eventColumns} from gaffer.events
    where stream = ${stream} and command_id = ${commandId} order by version`.execute(tx)
  return rows.map(parseEvent)
}

async function insert(
  tx: Queries,
  { stream, after, head, batch }: { stream: string; after: number; head: Digest; batch: EventBatch },
): Promise<readonly StoredEvent[]> {
  const { commandId, actor, at, wake = [] } = batch
  let previous = head
  const chained = batch.events.map((event, index) => {
    const version = after + index + 1
    previous = hashEvent(previous, { stream, version, commandId, actor, at, event })
    return { version, body: canonicalJson(event), hash: previous }
  })
  const { rows } = await sql<{ positions: readonly number[] | null }>`
    with written as (
      insert into gaffer.events (stream, version, command_id, actor, at, body, hash)
      select ${stream}, version, ${commandId}, ${canonicalJson(actor)}, ${at}, body, hash
      from unnest(
        ${chained.map(({ version }) => version)}::int[],
        ${chained.map(({ body }) => body)}::text[],
        ${chained.map(({ hash }) => hash)}::text[]
      ) as batch (version, body, hash) order by version
      returning position
    ), ended as (
      insert into gaffer.streams (stream, version, head)
      select ${stream}, ${after + chained.length}::int, ${previous} where ${chained.length > 0}::boolean
      on conflict (stream) do update set version = excluded.version, head = excluded.head
    ), waking as (
      insert into gaffer.wakes (workflow) select unnest(${[...new Set(wake)]}::text[])
    ), telling as (
      select pg_notify(${channels.events}, '') where ${chained.length > 0}::boolean
      union all select pg_notify(${channels.wakes}, '') where ${wake.length > 0}::boolean
    )
    select (select json_agg(position order by position) from written) as positions, (select count(*) from telling)`.execute(
    tx,
  )
  const positions = rows[0]?.positions ?? []
  return chained.map(({ version, body, hash }, index) => ({
    position: positions[index] ?? 0,
    stream,
    version,
    event: JSON.parse(body) as Json,
    actor,
    commandId,
    at,
    hash,
  }))
}
