import { Hono, type Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import { afterQuerySchema } from '../contract/events.ts'
import type { TaskId } from '../domain/ids.ts'
import type { Gaffer } from '../workflows/gaffer.ts'
import { presentEvent } from './present-event.ts'
import { problemOf } from './problems.ts'
import { readQuery, readResume } from './read-request.ts'
import { knownTask } from './task-routes.ts'

export interface StreamOptions {
  readonly gaffer: Gaffer
  /** Ends every stream when the server closes. */
  readonly closing: AbortSignal
  /** How often a quiet stream says that it lives, so that both ends notice a dead one. */
  readonly quietMs: number
  readonly onBug: (error: unknown) => string
}

/**
 * Events as they happen, as server-sent events: `id` is the position, so that a client that was cut off goes on where
 * it was (`Last-Event-ID`) and misses nothing. What goes wrong on the way is one `fault` event, and the end.
 */
export function streamRoutes(options: StreamOptions): Hono {
  const app = new Hono()
  app.get('/stream', (c) => follow(c, null, options))
  app.get('/tasks/:id/stream', async (c) => follow(c, (await knownTask(options.gaffer, c)).row.id, options))
  return app
}

function follow(c: Context, id: TaskId | null, { gaffer, closing, quietMs, onBug }: StreamOptions): Response {
  const after = readResume(c, readQuery(c, afterQuerySchema).after)
  c.header('X-Accel-Buffering', 'no')
  return streamSSE(c, async (stream) => {
    const gone = new AbortController()
    stream.onAbort(() => gone.abort())
    const signal = AbortSignal.any([closing, gone.signal])
    await stream.write(': connected\nretry: 1000\n\n')
    const alive = setInterval(() => void stream.write(': quiet\n\n'), quietMs)
    try {
      for await (const stored of gaffer.follow(id, after, signal)) {
        if (signal.aborted) break
        await stream.writeSSE({
          id: String(stored.position),
          event: 'task',
          data: JSON.stringify(presentEvent(stored)),
        })
      }
    } catch (error) {
      if (signal.aborted) return
      const problem = problemOf(error)
      await stream.writeSSE({ event: 'fault', data: JSON.stringify(problem ?? { reference: onBug(error) }) })
    } finally {
      clearInterval(alive)
      gone.abort()
    }
  })
}
