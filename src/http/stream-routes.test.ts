import { describe, expect, it } from 'vitest'
import { appUnderTest } from '../../test/fakes/served-app.ts'
import { maria } from '../../test/fakes/memory-gaffer.ts'
import { eventSchema, type EventOnTheWire } from '../contract/events.ts'
import { Fault } from '../domain/fault.ts'

/** Reads frames of a stream until `enough` says so. */
async function read(answer: Response, enough: (frames: readonly string[]) => boolean): Promise<string[]> {
  const frames: string[] = []
  let left = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer.body ?? []) {
    left += decoder.decode(chunk, { stream: true })
    const parts = left.split('\n\n')
    left = parts.pop() ?? ''
    frames.push(...parts)
    if (enough(frames)) break
  }
  return frames
}
const eventsOf = (frames: readonly string[]): EventOnTheWire[] =>
  frames
    .filter((frame) => frame.includes('event: task'))
    .map((frame) => eventSchema.parse(JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? '')))
const types = (events: readonly EventOnTheWire[]) => events.map(({ event }) => (event as { type: string }).type)

describe('following a task', () => {
  it('tells what has happened after a position, then what happens', async () => {
    const { ask, open, gaffer } = appUnderTest()
    const id = await open()
    const answer = await ask(`/api/tasks/${id}/stream?after=0`)
    expect(answer.headers.get('content-type')).toContain('text/event-stream')
    const reading = read(answer, (frames) => eventsOf(frames).length === 2)
    await gaffer.abandon(id, 'not needed', maria)
    expect(types(eventsOf(await reading))).toEqual(['task-drafted', 'abandoned'])
  })

  it('goes on after the event a client saw last, and misses and repeats nothing', async () => {
    const { ask, open, gaffer } = appUnderTest()
    const id = await open()
    await gaffer.move(id)
    const all = await gaffer.log(id)
    const first = await read(await ask(`/api/tasks/${id}/stream?after=0`), (frames) => eventsOf(frames).length === 3)
    const last = /^id: (\d+)$/m.exec(first.at(-1) ?? '')?.[1] ?? ''
    const resumed = await ask(`/api/tasks/${id}/stream?after=0`, { headers: { 'last-event-id': last } })
    const rest = await read(resumed, (frames) => eventsOf(frames).length === all.length - 3)
    expect([...eventsOf(first).slice(0, 3), ...eventsOf(rest)].map(({ position }) => position)).toEqual(
      all.map(({ position }) => position),
    )
  })

  it('tells of one task only, or of all', async () => {
    const { ask, open, gaffer } = appUnderTest()
    const [one, other] = [await open('One thing'), await open('Other thing')]
    await gaffer.abandon(other, 'x', maria)
    await gaffer.abandon(one, 'x', maria)
    const ofOne = eventsOf(
      await read(await ask(`/api/tasks/${one}/stream?after=0`), (frames) => eventsOf(frames).length === 2),
    )
    expect(new Set(ofOne.map(({ stream }) => stream))).toEqual(new Set([`task/${one}`]))
    const ofAll = eventsOf(await read(await ask('/api/stream?after=0'), (frames) => eventsOf(frames).length === 4))
    expect(new Set(ofAll.map(({ stream }) => stream)).size).toBe(2)
  })

  it('ends when the server closes', async () => {
    const closing = new AbortController()
    const { ask, open } = appUnderTest({ closing: closing.signal })
    const answer = await ask(`/api/tasks/${await open()}/stream`)
    const reading = read(answer, () => false)
    closing.abort()
    expect(eventsOf(await reading)).toEqual([])
  })

  it('lets go of what it followed when the client leaves', async () => {
    let followed: AbortSignal | undefined
    const { ask, open } = appUnderTest({
      gaffer: {
        async *follow(_id, _after, signal) {
          followed = signal
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          yield* []
        },
      },
    })
    const answer = await ask(`/api/tasks/${await open()}/stream`)
    await read(answer, (frames) => frames.length > 0)
    await expect.poll(() => followed?.aborted).toBe(true)
  })

  it('says what went wrong on the way, and ends', async () => {
    const { ask, open } = appUnderTest({
      gaffer: {
        // oxlint-disable-next-line require-yield
        async *follow() {
          throw new Fault('database-unavailable', 'Postgres is gone', { hint: 'start it' })
        },
      },
    })
    const frames = await read(await ask(`/api/tasks/${await open()}/stream`), () => false)
    expect(frames.at(-1)).toContain('event: fault')
    expect(frames.at(-1)).toContain('Postgres is gone')
  })

  it('refuses a position that is none', async () => {
    const { ask, open } = appUnderTest()
    const id = await open()
    expect((await ask(`/api/tasks/${id}/stream?after=x`)).status).toBe(400)
    expect((await ask(`/api/tasks/${id}/stream`, { headers: { 'last-event-id': 'x' } })).status).toBe(400)
  })
})
