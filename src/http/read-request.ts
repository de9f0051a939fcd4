import type { Context } from 'hono'
import { z } from 'zod'
import { isTaskId, taskId, type TaskId } from '../domain/ids.ts'
import { badRequest, notFound } from './problems.ts'

/** Parsers of what a request brings. @throws Stopped 400 or 404 */
export async function readBody<Schema extends z.ZodType>(c: Context, schema: Schema): Promise<z.output<Schema>> {
  const body: unknown = await c.req.json().catch(() => undefined)
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw badRequest('body', parsed.error)
  return parsed.data
}

export function readQuery<Schema extends z.ZodType>(c: Context, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(c.req.query())
  if (!parsed.success) throw badRequest('query', parsed.error)
  return parsed.data
}

export function readTaskId(c: Context): TaskId {
  const text = c.req.param('id') ?? ''
  if (!isTaskId(text)) throw notFound(`task ${text.slice(0, 80)}`)
  return taskId(text)
}

const position = z.coerce.number().int().min(0)
/** Where a stream goes on: what the client saw last, or what it asks for; null: from now on. */
export function readResume(c: Context, asked: number | undefined): number | null {
  const last = c.req.header('last-event-id')
  if (last === undefined || last === '') return asked ?? null
  const parsed = position.safeParse(last)
  if (!parsed.success) throw badRequest('Last-Event-ID', parsed.error)
  return parsed.data
}
