import { eventSchema, type EventOnTheWire } from '../../contract/events.ts'
import { problemSchema } from '../../contract/problem.ts'
import { Fault } from '../../domain/fault.ts'
import { Stop } from '../stop.ts'
import { stopOfProblem, type Client } from './connect.ts'
import { readFrames } from './frames.ts'

const patienceMs = 30_000
const pauseMs = 500

/**
 * Events of a stream after a position, as they happen, for ever. Cut off, it goes on where it was and misses nothing;
 * it gives up when the server stays away for half a minute.
 * @throws Fault server-unreachable; Stop for what the server says
 */
export async function* follow(
  client: Client,
  path: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<EventOnTheWire> {
  let last = after
  let lostAt: number | undefined
  while (!signal.aborted) {
    try {
      const answer = await client.raw(path, {
        signal,
        headers: { 'Last-Event-ID': String(last), Accept: 'text/event-stream' },
      })
      lostAt = undefined
      for await (const frame of readFrames(answer)) {
        if (frame.event === 'fault') throw faultOf(frame.data)
        if (frame.event !== 'task') continue
        const event = eventOf(frame.data)
        if (event.position <= last) continue
        last = event.position
        yield event
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Stop || (error instanceof Fault && error.code !== 'server-unreachable')) throw error
      lostAt ??= Date.now()
      if (Date.now() - lostAt > patienceMs) throw error
    }
    if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

function eventOf(data: string): EventOnTheWire {
  const parsed = eventSchema.safeParse(jsonOf(data))
  if (parsed.success) return parsed.data
  throw new Stop(3, 'the server tells of an event that cannot be read', {
    why: 'it is not this version of Gaffer',
    todo: 'end it, and start this one: `gaffer up`',
  })
}

const jsonOf = (data: string): unknown => {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

function faultOf(data: string): Stop {
  const problem = problemSchema.safeParse(jsonOf(data))
  if (problem.success) return stopOfProblem(problem.data)
  return new Stop(3, 'the server could not go on with the stream', {
    why: data.slice(0, 200),
    todo: 'look at the log of `gaffer up`',
  })
}
