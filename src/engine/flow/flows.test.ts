import { describe, expect, test, vi } from 'vitest'
import { flowsContract } from '../../../test/contracts/flows.ts'
import { withDatabase } from '../../../test/database.ts'
import { createFlows, type FlowsOptions, type RunningFlows } from './flows.ts'

const database = withDatabase()
const queues = { main: { concurrencyPerWorker: null }, two: { concurrencyPerWorker: 2 } }
const open = async (workflows: FlowsOptions['workflows'], runs = true): Promise<RunningFlows> =>
  createFlows({ database: await database(), workflows, queues, runs })

flowsContract('DBOS', async (workflows) => {
  const flows = await open(workflows)
  return { flows, close: () => flows.close() }
})

describe('a worker', () => {
  test('that stops leaves its workflows to the next, which goes on past the steps that have an answer', async () => {
    const ran: string[] = []
    const workflows: FlowsOptions['workflows'] = {
      async main(flow, argument) {
        const turn = await flow.step('first', async () => ran.push('first'))
        await flow.nap(3_600_000)
        await flow.step('last', async () => ran.push(`last ${turn} ${argument}`))
      },
    }
    const first = await open(workflows)
    await first.start('main', { id: 'a', queue: 'main', argument: 'x' })
    await vi.waitUntil(() => ran.length === 1)
    await first.close()

    const second = await open(workflows)
    await second.wake('a')
    await vi.waitUntil(() => ran.length > 1, 20_000)
    await second.close()
    expect(ran).toEqual(['first', 'last 1 x'])
  })

  test('runs what a process without workers started', async () => {
    const client = await open({}, false)
    await client.start('main', { id: 'a', queue: 'main', argument: 'x' })
    const got = Promise.withResolvers<string>()
    const worker = await open({ main: async (_flow, argument) => got.resolve(argument) })
    expect(await got.promise).toBe('x')
    await Promise.all([worker.close(), client.close()])
  })

  test('runs no more of a queue at once than it may, and all of them in the end', async () => {
    let running = 0
    let most = 0
    const end = Promise.withResolvers<unknown>()
    const flows = await open({
      async main(flow) {
        const children = Array.from({ length: 7 }, (_, index) =>
          flow.child('child', { id: `child-${index}`, queue: 'two', argument: String(index) }),
        )
        end.resolve(await Promise.all(children))
      },
      async child(flow, argument) {
        most = Math.max(most, ++running)
        await flow.step('work', () => new Promise((resolve) => setImmediate(resolve)))
        await flow.step('more', async () => running--)
        return argument
      },
    })
    await flows.start('main', { id: 'a', queue: 'main', argument: '' })
    expect(await end.promise).toEqual(['0', '1', '2', '3', '4', '5', '6'])
    await flows.close()
    expect(most).toBe(2)
  })

  test('with a thousand workflows waiting for people still runs the next one', async () => {
    const naps = 1_000
    let awake = 0
    const flows = await open({
      async wait(flow) {
        await flow.nap(30 * 24 * 3_600_000)
        awake += 1
      },
      async quick(flow) {
        await flow.child('leaf', { id: 'leaf', queue: 'two', argument: '' })
        awake += 1
      },
      leaf: (flow) => flow.step('work', async () => 1),
    })
    for (let index = 0; index < naps; index += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, offset) =>
          flows.start('wait', { id: `wait-${index + offset}`, queue: 'main', argument: '' }),
        ),
      )
    await flows.start('quick', { id: 'quick', queue: 'main', argument: '' })
    await vi.waitUntil(() => awake === 1, 30_000)
    await flows.wake('wait-7')
    await vi.waitUntil(() => awake === 2, 30_000)
    await flows.close()
    expect(awake).toBe(2)
  })
})
