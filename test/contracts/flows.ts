import { afterEach, describe, expect, test } from 'vitest'
import { Fault } from '../../src/domain/fault.ts'
import type { Flow, Flows } from '../../src/ports/flow.ts'

export type WorkflowUnderTest = (flow: Flow, argument: string) => Promise<unknown>
export interface OpenFlows {
  readonly flows: Flows
  close(): Promise<void>
}

/** What every engine of workflows keeps. Queues: `main` without limit, `two` for two at once. */
export function flowsContract(
  name: string,
  open: (workflows: Readonly<Record<string, WorkflowUnderTest>>) => Promise<OpenFlows>,
): void {
  let opened: OpenFlows | undefined
  const openWith = async (workflows: Readonly<Record<string, WorkflowUnderTest>>): Promise<Flows> => {
    opened = await open(workflows)
    return opened.flows
  }
  const seen = { queue: 'main', argument: '' }

  describe(`${name} keeps the contract of flows`, () => {
    afterEach(async () => {
      await opened?.close()
      opened = undefined
    })

    test('a workflow is given its id and its argument, and an id starts once', async () => {
      const calls: string[] = []
      const end = Promise.withResolvers<void>()
      const flows = await openWith({
        async note(flow, argument) {
          calls.push(`${flow.id} ${argument}`)
          if (argument === 'last') end.resolve()
        },
      })
      await flows.start('note', { ...seen, id: 'a', argument: 'first' })
      await flows.start('note', { ...seen, id: 'a', argument: 'other' })
      await flows.start('note', { ...seen, id: 'b', argument: 'last' })
      await end.promise
      expect(calls.toSorted()).toEqual(['a first', 'b last'])
    })

    test('the answer of a step is the JSON of what it returned', async () => {
      const end = Promise.withResolvers<unknown>()
      const flows = await openWith({
        async main(flow) {
          const answer = await flow.step('answer', async () => ({ text: 'a\u0000b', none: null, list: [1, 2.5] }))
          const nothing = await flow.step('nothing', async () => undefined)
          end.resolve([answer, nothing ?? 'nothing'])
        },
      })
      await flows.start('main', { ...seen, id: 'a' })
      expect(await end.promise).toEqual([{ text: 'a\u0000b', none: null, list: [1, 2.5] }, 'nothing'])
    })

    test('a Fault of a step or a child is thrown as that Fault', async () => {
      const fault = new Fault('disk-full', 'no room', { hint: 'make room', retryable: true })
      const end = Promise.withResolvers<unknown[]>()
      const flows = await openWith({
        async main(flow) {
          const caught: unknown[] = []
          await flow.step('bad', () => Promise.reject(fault)).catch((error: unknown) => caught.push(error))
          await flow.child('child', { ...seen, id: 'child' }).catch((error: unknown) => caught.push(error))
          end.resolve(caught)
        },
        child: (flow) => flow.step('bad', () => Promise.reject(fault)),
      })
      await flows.start('main', { ...seen, id: 'a' })
      for (const caught of await end.promise) {
        expect(caught).toBeInstanceOf(Fault)
        expect(caught).toMatchObject(fault.toJSON())
      }
    })

    test('a child gives its result to its parent, and runs once for one id', async () => {
      let ran = 0
      const end = Promise.withResolvers<unknown[]>()
      const flows = await openWith({
        async main(flow) {
          const request = { id: 'child', queue: 'two', argument: 'x' }
          end.resolve([await flow.child('child', request), await flow.child('child', request)])
        },
        async child(_flow, argument) {
          ran += 1
          return { got: argument }
        },
      })
      await flows.start('main', { ...seen, id: 'a' })
      expect(await end.promise).toEqual([{ got: 'x' }, { got: 'x' }])
      expect(ran).toBe(1)
    })

    test('a nap ends with a wake, and a wake before the nap counts', async () => {
      const napping = Promise.withResolvers<void>()
      const end = Promise.withResolvers<void>()
      const flows = await openWith({
        async early(flow) {
          await flow.step('wake myself', () => flows.wake('early'))
          await flow.nap(days)
          napping.resolve()
          await flow.nap(days)
          end.resolve()
        },
      })
      await flows.start('early', { ...seen, id: 'early' })
      await napping.promise
      await flows.wake('early')
      await expect(end.promise).resolves.toBeUndefined()
    })

    test('waking and cancelling what never started does nothing', async () => {
      const flows = await openWith({})
      await expect(flows.wake('nobody')).resolves.toBeUndefined()
      await expect(flows.cancel('nobody')).resolves.toBeUndefined()
    })

    test('cancel ends a nap, and every later step throws', async () => {
      const napping = Promise.withResolvers<void>()
      const end = Promise.withResolvers<string[]>()
      const flows = await openWith({
        async main(flow) {
          const heard: string[] = []
          const hear = (what: string) => () => void heard.push(what)
          napping.resolve()
          await flow.nap(days).catch(hear('nap'))
          await flow.step('after', async () => heard.push('ran')).catch(hear('step'))
          await flow.nap(days).catch(hear('nap'))
          end.resolve(heard)
        },
      })
      await flows.start('main', { ...seen, id: 'a' })
      await napping.promise
      await flows.cancel('a')
      expect(await end.promise).toEqual(['nap', 'step', 'nap'])
    })

    test('cancel reaches a step that is under way, and its children', async () => {
      const under = Promise.withResolvers<void>()
      const stopped = Promise.withResolvers<void>()
      const end = Promise.withResolvers<string>()
      const flows = await openWith({
        async main(flow) {
          await flow.child('child', { ...seen, id: 'child' }).then(
            () => end.resolve('went on'),
            () => end.resolve('stopped'),
          )
        },
        child: (flow) =>
          flow.step('long', async (signal) => {
            under.resolve()
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
            stopped.resolve()
          }),
      })
      await flows.start('main', { ...seen, id: 'a' })
      await under.promise
      await flows.cancel('a')
      await stopped.promise
      expect(await end.promise).toBe('stopped')
    })
  })
}

const days = 30 * 24 * 3_600_000
