import { spawn } from 'node:child_process'
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRepositories } from '../../src/adapters/git/repositories.ts'
import { signWithKey } from '../../src/own/sign-off.ts'
import { verify } from '../../src/own/verify.ts'
import { answers, briefText, builds, makeDelivery, plans, theOwner, type Turn } from '../deliveries.ts'
import { loadInstanceKey } from '../../src/own/instance-key.ts'
import { temporaryFolder } from '../repositories.ts'
import { clientOf, type Client } from './client.ts'

/**
 * kill -9 at every durable step of a delivery, each once, before its effects and after them; of the process alone, and
 * of everything that Gaffer started (agents, gates, Postgres). Always: one landing, one commit a unit, the same tree.
 */
const units = ['one', 'two', 'three', 'four']
const turns: readonly Turn[] = [
  plans(...units),
  builds('one', 'bad\n', 1),
  builds('one', 'one\n', 2),
  ...units.slice(1).map((unit) => builds(unit)),
  answers,
]

test.each([
  ['before', 'the process'],
  ['after', 'the process'],
  ['before', 'the whole process tree'],
  ['after', 'the whole process tree'],
] as const)('killed %s every durable step, %s, a delivery lands once', async (moment, victim) => {
  await using place = await temporaryFolder('gaffer-crash-')
  const data = join(place.path, 'data')
  const { publicPem } = await loadInstanceKey(data)
  const delivery = await makeDelivery({
    folder: join(place.path, 'delivery'),
    publicPem,
    options: { turns },
    gaffer: noGaffer,
  })
  const { repository, keyFile } = delivery
  const before = await repository.head('main')
  const log = join(place.path, 'steps.log')
  const person: Person = { task: null, keyFile, hub: repository.folder }

  let starts = 0
  for (;;) {
    starts += 1
    expect(starts, 'a start that gets no further').toBeLessThan(300)
    const ended = await runUntilDeath({ data, log, moment, person })
    if (victim === 'the whole process tree') killEverythingOf(data)
    if (ended === 'landed') break
  }
  killEverythingOf(data)

  const steps = readFileSync(log, 'utf8').trim().split('\n')
  expect(steps.length).toBeGreaterThan(30)
  expect(new Set(steps).size).toBe(steps.length)
  expect(starts).toBeGreaterThanOrEqual(steps.length)

  const task = person.task ?? ''
  expect(await repository.head('main~1')).toBe(before)
  expect(
    (
      await repository.git(
        'log',
        '--reverse',
        '--format=%(trailers:key=Gaffer-Unit,valueonly,separator=)',
        `main~1..gaffer/${task}`,
      )
    ).split('\n'),
  ).toEqual(units)
  for (const unit of units) expect(await repository.text('main', `src/${unit}.txt`)).toBe(`${unit}\n`)
  const files = (await repository.git('ls-tree', '-r', '--name-only', 'main')).split('\n')
  expect(files).toEqual([
    '.gaffer/allowed_signers',
    '.gaffer/evidence_keys.pem',
    '.gaffer/gaffer.yaml',
    'CHANGELOG.md',
    'check.sh',
    'src/first.txt',
    'src/four.txt',
    'src/one.txt',
    'src/three.txt',
    'src/two.txt',
  ])
  expect(await repository.git('status', '--porcelain')).toBe('')
  const history = await createRepositories({ folder: join(place.path, 'none') }).inspect(repository.folder)
  expect(await verify(history)).toMatchObject({ ok: true, commits: [{ status: 'attested', task }] })
})

const noGaffer = (): never => {
  throw new Error('this Gaffer is another process')
}

interface Person {
  task: string | null
  readonly keyFile: string
  readonly hub: string
}

interface Run {
  readonly data: string
  readonly log: string
  readonly moment: 'before' | 'after'
  readonly person: Person
}

/** Starts Gaffer and does what a person does, until it is killed or the task has landed. */
async function runUntilDeath({ data, log, moment, person }: Run): Promise<'killed' | 'landed'> {
  const program = join(import.meta.dirname, 'crashing-up.ts')
  const gaffer = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, data, log, moment], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  gaffer.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const gone = new Promise<void>((resolve) => gaffer.once('exit', () => resolve()))
  const url = await Promise.race([firstLine(gaffer.stdout), gone.then(() => null)])
  if (url === null && gaffer.signalCode !== 'SIGKILL') throw new Error(`it ended by itself: ${said}`)
  const landed =
    url === null ? false : await Promise.race([actAs(person, clientOf(data, briefText)), gone.then(() => false)])
  if (!landed) {
    await gone
    if (gaffer.signalCode !== 'SIGKILL') throw new Error(`it ended by itself: ${said}`)
    return 'killed'
  }
  gaffer.kill('SIGTERM')
  await gone
  return 'landed'
}

const firstLine = (stream: NodeJS.ReadableStream): Promise<string> =>
  new Promise((resolve) => stream.once('data', (chunk: Buffer) => resolve(chunk.toString())))

/** Delegates once, accepts and signs what stands, and waits for the landing. Calls that die with Gaffer are made again by the next. */
async function actAs(person: Person, client: Client): Promise<boolean> {
  try {
    person.task ??= await client.delegate({ hub: person.hub, key: 'the-one-key' })
    for (;;) {
      const task = await client.task(person.task)
      if (task.state === 'landed') return true
      if (task.state === 'blocked') throw new Error(`blocked: ${task.waitsFor}`)
      if (task.state === 'reviewing' && task.candidate !== null) {
        await client.command(person.task, { type: 'accept-unit', unit: null, actor: theOwner })
        const statement = await client.statement(person.task)
        const armoured = await signWithKey({ keyFile: person.keyFile, statement, interactive: false, env: process.env })
        await client.command(person.task, { type: 'sign', candidate: task.candidate, armoured, actor: theOwner })
      }
      await client.nextEvent(person.task)
    }
  } catch (error) {
    if (client.isGone(error)) return new Promise(() => undefined) // the exit of the process decides
    throw error
  }
}

/** Ends every process that has something open below a folder, or names it in its command line. */
function killEverythingOf(folder: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    if (belongs(pid, folder)) killNow(Number(pid))
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it ended by itself between the look and the kill
  }
}

function belongs(pid: string, folder: string): boolean {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return line.includes(folder) || readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
  } catch {
    return false
  }
}
