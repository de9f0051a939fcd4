import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { person, system } from '../../src/domain/actor.ts'
import { email } from '../../src/domain/ids.ts'
import type { Json } from '../../src/domain/json.ts'
import type { EventBatch, EventStore } from '../../src/ports/store.ts'

const ann = person(email('ann@example.com'))
const at = '2026-01-02T03:04:05.678Z'
const batch = (commandId: string, ...events: readonly Json[]): EventBatch => ({ commandId, actor: ann, events, at })

/** What every EventStore keeps; `open` gives an empty one. */
export function eventStoreContract(name: string, open: () => Promise<EventStore>): void {
  describe(`${name} keeps the contract of an event store`, () => {
    test('an unknown stream is empty and intact', async () => {
      const store = await open()
      expect(await store.read('task:none')).toEqual([])
      expect(await store.audit('task:none')).toEqual({ kind: 'intact', version: 0 })
      expect(await store.streams('task:')).toEqual([])
    })

    test('events come back as they were appended, oldest first, with versions from 1', async () => {
      const store = await open()
      const first = await store.append('task:a', 0, batch('c1', { kind: 'one' }, { kind: 'two' }))
      const second = await store.append('task:a', 2, { ...batch('c2', [null]), actor: system('engine') })

      const events = await store.read('task:a')
      expect(events.map(({ version, event, commandId, actor }) => ({ version, event, commandId, actor }))).toEqual([
        { version: 1, event: { kind: 'one' }, commandId: 'c1', actor: ann },
        { version: 2, event: { kind: 'two' }, commandId: 'c1', actor: ann },
        { version: 3, event: [null], commandId: 'c2', actor: system('engine') },
      ])
      expect(events.every((event) => event.at === at && event.stream === 'task:a')).toBe(true)
      expect([first, second]).toEqual([
        { kind: 'appended', events: events.slice(0, 2) },
        { kind: 'appended', events: events.slice(2) },
      ])
      expect(await store.read('task:a', 2)).toEqual(events.slice(2))
    })

    test('positions grow over all streams', async () => {
      const store = await open()
      const positions: number[] = []
      for (const stream of ['task:a', 'task:b', 'task:a', 'task:c']) {
        const version = (await store.read(stream)).length
        const appended = await store.append(stream, version, batch(`c${positions.length}`, 1))
        if (appended.kind === 'appended') positions.push(...appended.events.map((event) => event.position))
      }
      expect(positions).toHaveLength(4)
      expect(positions.toSorted((a, b) => a - b)).toEqual(positions)
    })

    test('an append at another version than the stream has is a conflict and writes nothing', async () => {
      const store = await open()
      await store.append('task:a', 0, batch('c1', 1))
      expect(await store.append('task:a', 0, batch('c2', 2))).toEqual({ kind: 'conflict', version: 1 })
      expect(await store.append('task:a', 7, batch('c3', 2))).toEqual({ kind: 'conflict', version: 1 })
      expect(await store.append('task:b', 1, batch('c4', 2))).toEqual({ kind: 'conflict', version: 0 })
      expect(await store.read('task:a')).toHaveLength(1)
      expect(await store.streams('')).toEqual(['task:a'])
    })

    test('a repeated command writes nothing and gives the events of the first time, whatever version it expects', async () => {
      const store = await open()
      const first = await store.append('task:a', 0, batch('c1', 1, 2))
      await store.append('task:a', 2, batch('c2', 3))
      const again = await store.append('task:a', 0, batch('c1', 'other'))
      expect(again).toEqual({ kind: 'repeated', events: first.kind === 'appended' ? first.events : [] })
      expect(await store.read('task:a')).toHaveLength(3)
    })

    test('one command id in two streams is two commands', async () => {
      const store = await open()
      await store.append('task:a', 0, batch('c1', 1))
      expect(await store.append('task:b', 0, batch('c1', 1))).toMatchObject({ kind: 'appended' })
    })

    test('of many appends at one version at once, one wins', async () => {
      const store = await open()
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, (_, index) => store.append('task:a', 0, batch(`c${index}`, index))),
      )
      expect(outcomes.filter(({ kind }) => kind === 'appended')).toHaveLength(1)
      expect(outcomes.filter(({ kind }) => kind === 'conflict')).toHaveLength(11)
      expect(await store.read('task:a')).toHaveLength(1)
    })

    test('an empty batch leaves no stream behind', async () => {
      const store = await open()
      expect(await store.append('task:a', 0, batch('c1'))).toEqual({ kind: 'appended', events: [] })
      expect(await store.streams('')).toEqual([])
    })

    test('streams are listed by prefix and by name, and a prefix is taken literally', async () => {
      const store = await open()
      for (const stream of ['task:b', 'task:a', 'task:Z', 'task_x', 'session:a', 'task%'])
        await store.append(stream, 0, batch('c1', 1))
      expect(await store.streams('task:')).toEqual(['task:Z', 'task:a', 'task:b'])
      expect(await store.streams('task_')).toEqual(['task_x'])
      expect(await store.streams('task%')).toEqual(['task%'])
    })

    test('any JSON comes back as it went in, and the chain over it is intact', async () => {
      const store = await open()
      let count = 0
      await fc.assert(
        fc.asyncProperty(fc.array(anyJson, { minLength: 1, maxLength: 4 }), async (events) => {
          const stream = `any:${count++}`
          await store.append(stream, 0, batch('c', ...events))
          const stored = await store.read(stream)
          expect(stored.map(({ event }) => event)).toEqual(JSON.parse(JSON.stringify(events)))
          expect(await store.audit(stream)).toEqual({ kind: 'intact', version: events.length })
        }),
        { numRuns: 40, examples: [[['\u0000', '\ud800', { '\u0000': 1e21, __proto__: null }, -0.1]]] },
      )
    })
  })
}

const anyJson: fc.Arbitrary<Json> = fc.jsonValue({ stringUnit: 'binary' }).map((value) => value as Json)
