import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { withDatabase } from '../../../test/database.ts'
import { engineMigrations, migrate } from '../migrate.ts'
import { openDatabase } from '../postgres/database.ts'
import { createFlows } from './flows.ts'

const database = withDatabase()
const started: ChildProcess[] = []
let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gaffer-crash-'))
})
afterEach(async () => {
  for (const child of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

interface Worker {
  readonly process: ChildProcess
  journal(): readonly string[]
}
interface WorkerOptions {
  readonly hang?: string
  /** Step that takes its time: it ends when the worker was paused and goes on. */
  readonly slow?: string
  readonly unseenMs?: number
}
async function startWorker(
  name: string,
  { hang = '', slow = '', unseenMs = 30_000 }: WorkerOptions = {},
): Promise<Worker> {
  const file = join(folder, name)
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../../test/processes/flow-worker.ts')], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: (await database()).url,
      JOURNAL: file,
      HANG: hang,
      SLOW: slow,
      UNSEEN_MS: String(unseenMs),
    },
    stdio: 'inherit',
  })
  started.push(child)
  const journal = (): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [])
  await until(() => journal().includes('ready'))
  return { process: child, journal }
}
const until = (condition: () => boolean): Promise<unknown> => vi.waitUntil(condition, { timeout: 30_000, interval: 20 })

async function start(id: string): Promise<void> {
  const client = await createFlows({
    database: await database(),
    workflows: {},
    queues: { main: { concurrencyPerWorker: null } },
    runs: false,
  })
  await client.start('deliver', { id, queue: 'main', argument: id })
  await client.close()
}

test.each(['one', 'two', 'build'])(
  'a worker killed in step %s: another goes on from that step and finishes',
  async (step) => {
    const first = await startWorker('first', { hang: step })
    await start('a')
    await until(() => first.journal().includes(`a ${step}`))
    first.process.kill('SIGKILL')

    const second = await startWorker('second')
    await until(() => second.journal().includes('a end built-a'))
    const steps = ['a one', 'a two', 'a three', 'a build', 'a end built-a']
    expect(second.journal().filter((line) => line !== 'ready')).toEqual(steps.slice(steps.indexOf(`a ${step}`)))
  },
)

test('a worker that runs already takes over from one that was killed', async () => {
  const first = await startWorker('first', { hang: 'two' })
  await start('a')
  await until(() => first.journal().includes('a two'))
  const second = await startWorker('second')
  first.process.kill('SIGKILL')
  await until(() => second.journal().includes('a end built-a'))
  expect(second.journal()).not.toContain('a one')
})

test('a worker that is not heard of any more is taken over, and stands down when it comes back', async () => {
  const first = await startWorker('first', { slow: 'two', unseenMs: 2_000 })
  await start('a')
  await until(() => first.journal().includes('a two'))
  first.process.kill('SIGSTOP')
  const second = await startWorker('second', { unseenMs: 2_000 })
  await until(() => second.journal().includes('a end built-a'))

  first.process.kill('SIGCONT')
  await until(() => first.journal().includes('a two done'))
  first.process.kill('SIGTERM')
  await until(() => first.process.exitCode !== null)
  expect(first.journal()).toEqual(['ready', 'a one', 'a two', 'a two done'])
})

test('a database server that is killed under a worker comes back, and the worker goes on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gaffer-crash-'))
  const embedded = await openDatabase({ kind: 'embedded', folder })
  await migrate(embedded, [engineMigrations])
  const end = Promise.withResolvers<number>()
  let ran = 0
  const flows = await createFlows({
    database: embedded,
    runs: true,
    queues: { main: { concurrencyPerWorker: null } },
    workflows: {
      async main(flow) {
        for (let step = 0; step < 60; step++) {
          await flow.step(`step-${step}`, async () => ++ran)
          if (step === 20) await flow.step('kill', () => killServer(folder))
        }
        await flow.nap(3_600_000)
        end.resolve(ran)
      },
    },
  })
  await flows.start('main', { id: 'a', queue: 'main', argument: '' })
  await until(() => ran >= 60)
  await flows.wake('a')
  const total = await end.promise
  await flows.close()
  await embedded.close()
  await rm(folder, { recursive: true, force: true })
  expect(total).toBe(60)
})

async function killServer(home: string): Promise<void> {
  const text = await readFile(join(home, 'postgres/data/postmaster.pid'), 'utf8')
  process.kill(Number(text.split('\n')[0]), 'SIGKILL')
}

test('two workers on one database are two executors, and neither takes over from the other', async () => {
  const workers = [await startWorker('first'), await startWorker('second')]
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const id of ids) await start(id)
  const lines = (): string[] => workers.flatMap((worker) => worker.journal())
  await until(() => ids.every((id) => lines().includes(`${id} end built-${id}`)))

  expect(
    lines()
      .filter((line) => line !== 'ready')
      .toSorted(),
  ).toEqual(
    ids.flatMap((id) => [`${id} one`, `${id} two`, `${id} three`, `${id} build`, `${id} end built-${id}`]).toSorted(),
  )
  const { rows } = await sql`select id from gaffer.executors`.execute((await database()).queries)
  expect(rows).toHaveLength(2)
})

test('a worker that ends in order leaves no executor behind', async () => {
  const worker = await startWorker('first')
  worker.process.kill('SIGTERM')
  await until(() => worker.process.exitCode !== null)
  const { rows } = await sql`select id from gaffer.executors`.execute((await database()).queries)
  expect(rows).toEqual([])
})
