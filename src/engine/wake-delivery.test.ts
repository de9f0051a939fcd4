import { sql } from 'kysely'
import { describe, expect, test, vi } from 'vitest'
import { withDatabase } from '../../test/database.ts'
import { system } from '../domain/actor.ts'
import { Fault } from '../domain/fault.ts'
import { createEventStore } from './event-store.ts'
import { createFlows } from './flow/flows.ts'
import type { Projection } from './projection.ts'
import { deliverWakes } from './wake-delivery.ts'

const database = withDatabase()
const batch = (commandId: string, ...wake: readonly string[]) => ({
  commandId,
  actor: system('test'),
  events: [commandId],
  wake,
  at: '2026-01-02T03:04:05.678Z',
})
const until = (condition: () => boolean | Promise<boolean>): Promise<unknown> =>
  vi.waitUntil(condition, { timeout: 20_000, interval: 10 })
async function outbox(): Promise<readonly string[]> {
  const { rows } = await sql<{ workflow: string }>`select workflow from gaffer.wakes order by id`.execute(
    (await database()).queries,
  )
  return rows.map(({ workflow }) => workflow)
}

describe('a wake written with events', () => {
  test('is delivered at once', async () => {
    const woken: string[] = []
    const delivery = deliverWakes({
      database: await database(),
      flows: { wake: async (id) => void woken.push(id) },
      sweepMs: 3_600_000,
    })
    await createEventStore(await database()).append('task:a', 0, batch('c1', 'x', 'y', 'x'))
    await until(() => woken.length === 2)
    await until(async () => (await outbox()).length === 0)
    await delivery.close()
    expect(woken.toSorted()).toEqual(['x', 'y'])
  })

  test('outlives a process that died before it was delivered', async () => {
    await createEventStore(await database()).append('task:a', 0, batch('c1', 'x'))
    expect(await outbox()).toEqual(['x'])
    const woken: string[] = []
    const delivery = deliverWakes({ database: await database(), flows: { wake: async (id) => void woken.push(id) } })
    await until(() => woken.length === 1)
    await delivery.close()
    expect(await outbox()).toEqual([])
  })

  test('is not written when the events are not', async () => {
    const failing: Projection = {
      name: 'failing',
      streamPrefix: '',
      apply: () => Promise.reject(new TypeError('no')),
      reset: () => Promise.resolve(),
    }
    await createEventStore(await database(), [failing])
      .append('task:a', 0, batch('c1', 'x'))
      .catch(() => undefined)
    const store = createEventStore(await database())
    await store.append('task:b', 5, batch('c1', 'x'))
    await store.append('task:c', 0, batch('c1'))
    await store.append('task:c', 0, batch('c1', 'x'))
    expect(await outbox()).toEqual([])
  })

  test('that cannot be delivered now is delivered by a later sweep', async () => {
    let tries = 0
    const delivery = deliverWakes({
      database: await database(),
      flows: {
        wake: async () => {
          tries += 1
          if (tries === 1) throw new Fault('bad-input', 'not now', { hint: 'later' })
        },
      },
      sweepMs: 20,
    })
    await createEventStore(await database()).append('task:a', 0, batch('c1', 'x'))
    await until(async () => tries >= 2 && (await outbox()).length === 0)
    await delivery.close()
    expect(tries).toBe(2)
  })

  test('ends the nap of a workflow that waits for exactly that', async () => {
    const end = Promise.withResolvers<number>()
    const store = createEventStore(await database())
    const flows = await createFlows({
      database: await database(),
      runs: true,
      queues: { main: { concurrencyPerWorker: null } },
      workflows: {
        async wait(flow) {
          for (;;) {
            const events = await flow.step('look', () => store.read('task:a'))
            if (events.length > 1) return end.resolve(events.length)
            await flow.nap(3_600_000)
          }
        },
      },
    })
    const delivery = deliverWakes({ database: await database(), flows })
    await store.append('task:a', 0, batch('c1', 'unknown'))
    await flows.start('wait', { id: 'w', queue: 'main', argument: '' })
    await store.append('task:a', 1, batch('c2', 'w'))
    expect(await end.promise).toBe(2)
    await delivery.close()
    await flows.close()
  })
})
