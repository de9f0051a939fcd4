import { sql } from 'kysely'
import { actorSchema } from '../domain/actor.ts'
import { digest } from '../domain/ids.ts'
import type { Json } from '../domain/json.ts'
import type { StoredEvent } from '../ports/store.ts'

export interface EventRow {
  readonly position: number
  readonly stream: string
  readonly version: number
  readonly command_id: string
  readonly actor: string
  readonly at: string
  readonly body: string
  readonly hash: string
}

export const eventColumns = sql.raw('position, stream, version, command_id, actor, at, body, hash')

export const parseEvent = (row: EventRow): StoredEvent => ({
  position: row.position,
  stream: row.stream,
  version: row.version,
  event: JSON.parse(row.body) as Json,
  actor: actorSchema.parse(JSON.parse(row.actor)),
  commandId: row.command_id,
  at: row.at,
  hash: digest(row.hash),
})

/** Condition for streams whose name starts so; uses the index on the name. */
export const startsWith = (prefix: string) => sql`stream like ${`${prefix.replaceAll(/[\\%_]/g, '\\$&')}%`}`
