import { z } from 'zod'

/**
 * What an event says to a person: a mark (one word, the first column), what it is about, and the rest. `tone` is
 * for colour alone; the words carry the meaning.
 */
export const eventLineSchema = z.object({
  mark: z.string(),
  subject: z.string(),
  text: z.string(),
  tone: z.enum(['plain', 'good', 'caught', 'needed']),
})
export type EventLine = z.infer<typeof eventLineSchema>

/** One stored event: as it is in the stream, and in words. */
export const eventSchema = z.object({
  /** Place in the order of all events; the id of server-sent events, and what `after` counts in. */
  position: z.number().int(),
  stream: z.string(),
  version: z.number().int(),
  at: z.string(),
  actor: z.string(),
  hash: z.string(),
  event: z.json(),
  lines: z.array(eventLineSchema),
})
export type EventOnTheWire = z.infer<typeof eventSchema>

/** `GET /api/tasks/:id/events?after`, and the query of both streams: positions, exclusive. */
export const afterQuerySchema = z.strictObject({ after: z.coerce.number().int().min(0).optional() })
export const eventListSchema = z.object({ events: z.array(eventSchema) })

export const sessionListSchema = z.object({ sessions: z.array(z.string()) })

/** `GET /api/sessions/:name`: an agent's session, entry by entry, as it was recorded. */
export const transcriptSchema = z.object({
  session: z.string(),
  entries: z.array(z.object({ at: z.string(), entry: z.json() })),
})
export type Transcript = z.infer<typeof transcriptSchema>

/** `GET /api/tasks/:id/patch?unit` */
export const patchQuerySchema = z.strictObject({ unit: z.string().min(1).max(64).optional() })
