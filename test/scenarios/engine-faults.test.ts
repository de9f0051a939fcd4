import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { up } from '../../src/wiring/up.ts'
import { rebuildReadModels } from '../../src/wiring/rebuild.ts'
import { answers, builds, plans, startSite, thePerson, type TestSite } from '../deliveries.ts'
import { temporaryFolder } from '../repositories.ts'

/** The machine under a delivery fails: it goes on by itself, or says what to do and goes on then. */
let site: TestSite
beforeAll(async () => {
  site = await startSite()
})
afterAll(() => site[Symbol.asyncDispose]())

const postmaster = (): number =>
  Number(readFileSync(join(site.data, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0])

test('a test command that never ends makes its gate unavailable, and no unit passes by it', async () => {
  const settings = {
    gates: { check: { gate: 'command', run: 'test -e src/one.txt && sleep 600 || true' } },
    limits: { gateSeconds: 1 },
  }
  const delivery = await site.delivery({ turns: [plans('one'), builds('one'), answers], settings })
  const id = await delivery.delegate()
  const blocked = await delivery.untilState(id, 'blocked')
  expect(blocked.reason).toMatchObject({ kind: 'gate-unavailable', gate: 'check', cause: { code: 'command-timeout' } })
  expect(blocked.was).toMatchObject({
    state: 'building',
    units: [{ status: 'under-way', rounds: [{ outcome: 'unavailable' }] }],
  })
  await site.gaffer.answer(id, null, thePerson)
  await delivery.until(
    id,
    (task) =>
      task.state === 'blocked' &&
      task.was.state === 'building' &&
      task.was.units[0]?.status === 'under-way' &&
      task.was.units[0].rounds.length === 2,
  )
})

test('Postgres is killed in the middle of a delivery, and the delivery lands', async () => {
  const turns = [
    plans('one', 'two'),
    { when: 'stage=build unit=one', do: [{ wait: 1 }, { write: { path: 'src/one.txt', content: 'one\n' } }] },
    builds('two'),
    answers,
  ]
  const delivery = await site.delivery({ turns })
  const id = await delivery.delegate()
  await delivery.until(id, (task) => task.state === 'building' && task.units[0]?.status === 'under-way')
  process.kill(postmaster(), 'SIGKILL')
  await expect
    .poll(
      () =>
        site.gaffer
          .task(id)
          .then((view) => view?.task.state)
          .catch(() => undefined),
      { timeout: 45_000, interval: 200 },
    )
    .toBe('reviewing')
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
  expect(await delivery.verify()).toMatchObject({ ok: true })
})

test('a task that waits for a person goes on after a restart', async () => {
  const delivery = await site.delivery({ turns: [plans('one'), builds('one'), answers] })
  const id = await delivery.delegate()
  await delivery.until(id, (task) => task.state === 'reviewing' && task.candidate !== null)
  await site.restart()
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
  expect(await delivery.verify()).toMatchObject({ ok: true })
})

test('a second Gaffer on one data folder is told which one runs', async () => {
  await using place = await temporaryFolder()
  const data = join(place.path, 'data')
  const { writeFileSync, mkdirSync } = await import('node:fs')
  mkdirSync(data)
  const started = readFileSync('/proc/self/stat', 'utf8')
  writeFileSync(join(data, 'up.pid'), `${process.pid} ${started.slice(started.lastIndexOf(')') + 2).split(' ')[19]}\n`)
  await expect(up({ data, port: null })).rejects.toMatchObject({
    code: 'data-folder-in-use',
    message: expect.stringContaining(String(process.pid)),
  })
})

test('read models made again from the events are what they were', async () => {
  const before = await site.gaffer.tasks({ state: null, after: null, limit: 100 })
  const rebuilt = await rebuildReadModels({ data: site.data })
  expect(rebuilt.tampered).toEqual([])
  expect(rebuilt.tasks).toBe(before.rows.length)
  expect(await site.gaffer.tasks({ state: null, after: null, limit: 100 })).toEqual(before)
})
