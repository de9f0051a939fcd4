import { afterAll, beforeAll, expect, test } from 'vitest'
import { unitsOf } from '../../src/domain/task/task.ts'
import { answers, builds, plans, startSite, thePerson, type TestSite } from '../deliveries.ts'
import { unitId } from '../../src/domain/ids.ts'

let site: TestSite
beforeAll(async () => {
  site = await startSite()
})
afterAll(() => site[Symbol.asyncDispose]())

test('a brief becomes a signed, landed change that anybody can verify', async () => {
  const delivery = await site.delivery({ turns: [plans('one', 'two'), builds('one'), builds('two'), answers] })
  const { repository } = delivery
  const before = await repository.head('main')
  const id = await delivery.delegate()
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')

  expect(await repository.head('main~1')).toBe(before)
  expect(await repository.text('main', 'src/two.txt')).toBe('two\n')
  expect(await repository.text('main', 'CHANGELOG.md')).toContain('A small change')
  expect(await repository.text('main', 'PLAN.md')).toBeUndefined()
  expect(await repository.git('status', '--porcelain')).toBe('')
  expect(await repository.text(`gaffer/${id}`, 'PLAN.md')).toContain('[x] **Unit two**')
  expect(
    (
      await repository.git('log', '--format=%(trailers:key=Gaffer-Unit,valueonly,separator=)', `main~1..gaffer/${id}`)
    ).split('\n'),
  ).toEqual(['two', 'one'])
  expect(await delivery.verify()).toMatchObject({
    ok: true,
    commits: [{ status: 'attested', task: id, owner: 'owner@example.com' }],
  })
})

test('it lands on a bare hub as well', async () => {
  const delivery = await site.delivery({ bare: true, turns: [plans('one'), builds('one'), answers] })
  const id = await delivery.delegate()
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
  expect(await delivery.verify()).toMatchObject({ ok: true })
})

test('what a gate finds goes back to the agent, and the mended unit is closed', async () => {
  const delivery = await site.delivery({
    turns: [plans('one'), builds('one', 'bad\n', 1), builds('one', 'good\n', 2), answers],
  })
  const id = await delivery.delegate()
  const task = await delivery.untilState(id, 'reviewing')
  const [unit] = unitsOf(task)
  expect(unit).toMatchObject({ status: 'checkpointed', rounds: [{ outcome: 'failed' }, { outcome: 'passed' }] })
  expect(await delivery.repository.git('rev-list', '--count', `main..gaffer/${id}`)).toBe('1')
})

test('an agent that does not get there is stopped after its rounds, and a person helps it on', async () => {
  const turns = [
    plans('one'),
    builds('one', 'bad\n', 1),
    builds('one', 'bad again\n', 2),
    builds('one', 'good\n', 3),
    answers,
  ]
  const delivery = await site.delivery({ turns, settings: { review: { rounds: 2 } } })
  const id = await delivery.delegate()
  const blocked = await delivery.untilState(id, 'blocked')
  expect(blocked.reason).toMatchObject({ kind: 'rounds-used-up', unit: 'one' })
  await site.gaffer.answer(id, 'Say good, not bad.', thePerson)
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
})

test('changes that a reviewer asks for are built before anything is signed', async () => {
  const turns = [plans('one'), builds('one'), builds('one-r2', 'better\n'), answers]
  const delivery = await site.delivery({ turns })
  const id = await delivery.delegate()
  await delivery.until(id, (task) => task.state === 'reviewing' && task.candidate !== null)
  await site.gaffer.requestChanges(id, unitId('one'), 'It should say better.', thePerson)
  await delivery.until(id, (task) => task.state === 'reviewing' && task.units.length === 2)
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
  expect(await delivery.repository.text('main', 'src/one-r2.txt')).toBe('better\n')
})

test('a plan waits for its approval where the repository asks for that, and can be sent back', async () => {
  const delivery = await site.delivery({
    turns: [plans('one'), builds('one'), answers],
    settings: { review: { plan: 'required' } },
  })
  const id = await delivery.delegate()
  await delivery.untilState(id, 'planned')
  expect(await site.gaffer.sendPlanBack(id, 'Smaller steps.', thePerson)).toMatchObject({ kind: 'done' })
  await delivery.until(id, (task) => task.state === 'planned' && task.planNotes.length === 1)
  await site.gaffer.approvePlan(id, thePerson)
  await delivery.untilState(id, 'reviewing')
})

test('a workspace that somebody removed is made again from the last checkpoint', async () => {
  const turns = [
    plans('one', 'two'),
    {
      when: 'stage=build unit=one round=1',
      do: [{ write: { path: 'src/one.txt', content: 'one\n' } }, { run: 'rm -rf .git' }],
    },
    builds('two'),
    answers,
  ]
  const delivery = await site.delivery({ turns })
  const id = await delivery.delegate()
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
  expect(await delivery.repository.text('main', 'src/one.txt')).toBe('one\n')
  expect(await delivery.repository.text('main', 'src/two.txt')).toBe('two\n')
})

test('a task that is abandoned stops at once, wherever it is', async () => {
  const delivery = await site.delivery({ turns: [plans('one'), { when: 'stage=build', do: [{ hang: true }] }] })
  const id = await delivery.delegate()
  await delivery.until(id, (task) => task.state === 'building' && task.units[0]?.status === 'under-way')
  expect(await site.gaffer.abandon(id, 'not wanted', thePerson)).toMatchObject({ kind: 'done' })
  await delivery.untilState(id, 'abandoned')
})
