import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Blocked } from '../../src/domain/task/task.ts'
import { answers, builds, plans, startSite, thePerson, type Delivery, type TestSite, type Turn } from '../deliveries.ts'

/** An agent that does its part badly stops its task for a person, with what to do; nothing else is touched. */
let site: TestSite
beforeAll(async () => {
  site = await startSite()
})
afterAll(() => site[Symbol.asyncDispose]())

const withAgent = (command: readonly string[], settings = {}): Promise<Delivery> =>
  site.delivery({ turns: [], settings: { agent: 'odd', agents: { odd: { command } }, ...settings } })
const whileBuilding = (turn: Turn['do'], settings = {}): Promise<Delivery> =>
  site.delivery({ turns: [plans('one'), { when: 'stage=build', do: turn }, answers], settings })

async function blockedBy(delivery: Delivery): Promise<Blocked> {
  const id = await delivery.delegate()
  const blocked = await delivery.untilState(id, 'blocked')
  expect(blocked.unblocks).toContain(`gaffer answer ${id}`)
  expect(await delivery.repository.git('status', '--porcelain')).toBe('')
  return blocked
}
const fault = (code: string, during: unknown = expect.any(String)) => ({
  kind: 'fault',
  during,
  cause: { code, hint: expect.stringMatching(/\w/) },
})

test('an agent that nobody declared is refused before anything begins', async () => {
  const delivery = await site.delivery({ turns: [] })
  expect(await delivery.attempt({ agent: 'nobody' })).toMatchObject({
    kind: 'brief-refused',
    problems: expect.arrayContaining([expect.objectContaining({ rule: 'unknown-agent' })]),
  })
})

test('a program that is not there', async () => {
  expect((await blockedBy(await withAgent(['no-such-agent']))).reason).toMatchObject(fault('agent-missing', 'planning'))
})

test('an agent that exits at once', async () => {
  expect((await blockedBy(await withAgent(['sh', '-c', 'echo broken >&2; exit 3']))).reason).toMatchObject(
    fault('agent-vanished'),
  )
})

test('a program that speaks no ACP', async () => {
  expect((await blockedBy(await withAgent(['sh', '-c', 'echo hello; cat']))).reason).toMatchObject(
    fault('agent-not-acp'),
  )
})

test('an agent that crashes in its turn; the next try starts from the last checkpoint', async () => {
  const delivery = await site.delivery({
    turns: [
      plans('one', 'two'),
      builds('one'),
      {
        when: 'stage=build unit=two round=1',
        do: [
          { write: { path: 'src/two.txt', content: 'half' } },
          { run: 'test -e /tmp/never || exit 0' },
          { crash: 1 },
        ],
      },
      answers,
    ],
  })
  const blocked = await blockedBy(delivery)
  expect(blocked.reason).toMatchObject(fault('agent-vanished', 'building two'))
  expect(blocked.was).toMatchObject({
    state: 'building',
    units: [{ status: 'checkpointed' }, { status: 'under-way', rounds: [] }],
  })
})

test('an agent that floods its output', async () => {
  const delivery = await whileBuilding([{ flood: 3_000_000 }], { limits: { outputMb: 1 } })
  expect((await blockedBy(delivery)).reason).toMatchObject(fault('agent-flood'))
})

test('an agent that hangs is stopped at its limit', async () => {
  const delivery = await whileBuilding([{ hang: true }], { limits: { turnSeconds: 1 } })
  expect((await blockedBy(delivery)).reason).toMatchObject(fault('agent-timeout'))
})

test('what an agent leaves running is gone when its unit ends', async () => {
  const delivery = await site.delivery({
    turns: [
      plans('one'),
      {
        when: 'stage=build',
        do: [
          { spawn: "bash -c 'exec -a gaffer-leftover sleep 600'" },
          { write: { path: 'src/one.txt', content: 'one\n' } },
        ],
      },
      answers,
    ],
  })
  const id = await delivery.delegate()
  await delivery.until(id, (task) => task.state === 'reviewing' && task.candidate !== null)
  expect(commandLines().filter((line) => line.includes('gaffer-leftover'))).toEqual([])
})

test('a write through a symlink that leaves the workspace never lands', async () => {
  const delivery = await site.delivery({
    turns: [
      plans('one'),
      {
        when: 'stage=build unit=one round=1',
        do: [
          { symlink: { path: 'src/out', target: '../../../../../..' } },
          { run: 'echo stolen > src/out/stolen.txt || true' },
          { write: { path: 'src/one.txt', content: 'one\n' } },
        ],
      },
      { when: 'stage=build unit=one round=2', do: [{ delete: 'src/out' }] },
      answers,
    ],
  })
  const id = await delivery.delegate()
  const task = await delivery.untilState(id, 'reviewing')
  const [refused] = task.units[0]?.rounds ?? []
  expect(refused).toMatchObject({
    outcome: 'failed',
    findings: [{ gate: 'scope', rule: 'symlink-leaves', message: expect.stringContaining('src/out') }],
  })
  expect(existsSync(join(site.data, 'stolen.txt'))).toBe(false)
})

test('an agent that changes its own rules is refused', async () => {
  const delivery = await site.delivery({
    turns: [
      plans('one'),
      {
        when: 'stage=build unit=one round=1',
        do: [
          {
            write: {
              path: '.gaffer/gaffer.yaml',
              content: 'version: 1\ngates: { check: { gate: command, run: "true" } }\n',
            },
          },
          { write: { path: 'src/one.txt', content: 'bad\n' } },
        ],
      },
      {
        when: 'stage=build unit=one round=2',
        do: [{ run: 'git checkout -q -- .gaffer' }, { write: { path: 'src/one.txt', content: 'good\n' } }],
      },
      answers,
    ],
  })
  const id = await delivery.delegate()
  const task = await delivery.untilState(id, 'reviewing')
  const gates = task.units[0]?.rounds[0]?.findings.map(({ gate }) => gate)
  expect(gates).toEqual(expect.arrayContaining(['scope', 'check']))
})

test('a planning agent that cannot plan leaves a plan of one unit', async () => {
  const delivery = await site.delivery({
    turns: [
      { when: 'stage=plan', do: [{ say: 'I would rather not.' }] },
      { when: 'stage=build', do: [{ write: { path: 'src/one.txt', content: 'one\n' } }] },
      answers,
    ],
  })
  const id = await delivery.delegate()
  const task = await delivery.untilState(id, 'reviewing')
  expect(task.units.map(({ unit }) => unit.id)).toEqual(['a-small-change'])
})

test('a planning agent cannot write', async () => {
  const plan = plans('one')
  const delivery = await site.delivery({
    turns: [{ ...plan, do: [{ run: 'echo sneaky > src/sneaky.txt || true' }, ...plan.do] }, builds('one'), answers],
  })
  const id = await delivery.delegate()
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
  expect(await delivery.repository.text('main', 'src/sneaky.txt')).toBeUndefined()
})

test('abandoning a task ends the agent that hangs in it', async () => {
  const delivery = await whileBuilding([{ run: "bash -c 'exec -a gaffer-hanging sleep 600'" }])
  const id = await delivery.delegate()
  await delivery.until(id, (task) => task.state === 'building' && task.units[0]?.status === 'under-way')
  await expect
    .poll(() => commandLines().some((line) => line.includes('gaffer-hanging')), { timeout: 20_000 })
    .toBe(true)
  await site.gaffer.abandon(id, 'not wanted any more', thePerson)
  await expect
    .poll(() => commandLines().some((line) => line.includes('gaffer-hanging')), { timeout: 20_000 })
    .toBe(false)
})

function commandLines(): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : []
    } catch {
      return []
    }
  })
}

test('an agent is given the variables that the settings name, and no other of Gaffer', async () => {
  process.env['GAFFER_TEST_KEY'] = 'a-key-of-mine'
  process.env['GAFFER_TEST_OTHER'] = 'not-for-agents'
  const say = 'printf "%s/%s" "$GAFFER_TEST_KEY" "$GAFFER_TEST_OTHER" > src/one.txt'
  const delivery = await site.delivery({ turns: [plans('one'), { when: 'stage=build', do: [{ run: say }] }, answers] })
  const settings = (await delivery.repository.text('main', '.gaffer/gaffer.yaml')) ?? ''
  await delivery.repository.commit({
    '.gaffer/gaffer.yaml': settings.replace('    command:', '    passEnv: [GAFFER_TEST_KEY]\n    command:'),
  })
  const id = await delivery.delegate()
  await delivery.untilState(id, 'reviewing')
  expect(await delivery.repository.text(`gaffer/${id}`, 'src/one.txt')).toBe('a-key-of-mine/')
})
