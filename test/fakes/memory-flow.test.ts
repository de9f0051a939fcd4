import { expect, test } from 'vitest'
import { Fault } from '../../src/domain/fault.ts'
import { flowsContract } from '../contracts/flows.ts'
import { memoryFlows } from './memory-flow.ts'

flowsContract('the memory', (workflows) =>
  Promise.resolve({ flows: memoryFlows(workflows), close: () => Promise.resolve() }),
)

test('after a crash a workflow goes on past the steps that have an answer', async () => {
  let turns = 0
  const flows = memoryFlows({
    async main(flow) {
      const turn = await flow.step('count', async () => ++turns)
      await flow.step('fail', () => Promise.reject(new Fault('disk-full', 'no', { hint: 'x' }))).catch(() => undefined)
      await flow.nap(1_000)
      return flow.step('end', async () => turn)
    },
  })
  await flows.start('main', { id: 'a', queue: 'main', argument: '' })
  await flows.atRest()
  flows.crash()
  await flows.atRest()
  expect(flows.state('a')).toBe('napping')
  flows.elapse()
  expect(await flows.result('a')).toBe(1)
  expect(flows.steps('a')).toEqual(['count', 'fail', 'end'])
})
