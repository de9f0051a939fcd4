import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { openDatabase, pingDatabase, type Database } from './database.ts'

let pristine = ''
let folder = ''
const opened: Database[] = []
const children: ChildProcess[] = []

beforeAll(async () => {
  pristine = await mkdtemp(join(tmpdir(), 'gaffer-embedded-'))
  await (await openDatabase({ kind: 'embedded', folder: pristine })).close()
})
afterAll(() => rm(pristine, { recursive: true, force: true }))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gaffer-embedded-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(opened.splice(0).map((database) => database.close()))
  const pid = await serverPid()
  if (pid !== undefined && isThere(pid)) process.kill(pid, 'SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

/** A database folder that was used before; making one anew takes a second. */
const used = (): unknown => spawnSync('cp', ['-a', join(pristine, 'postgres'), folder])

async function open(): Promise<Database> {
  const database = await openDatabase({ kind: 'embedded', folder, settings: ['fsync=off'] })
  opened.push(database)
  return database
}
async function openElsewhere(): Promise<{ child: ChildProcess; port: string }> {
  const program = join(import.meta.dirname, '../../../test/processes/database-user.ts')
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env['PATH'], FOLDER: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, port: said.toString().trim().replace('open ', '') }
}
const data = (...path: string[]): string => join(folder, 'postgres', 'data', ...path)
async function serverPid(): Promise<number | undefined> {
  const text = await readFile(data('postmaster.pid'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : Number(text.split('\n')[0])
}
/** A zombie is gone: collecting it is for whoever started it. */
const isThere = (pid: number): boolean =>
  !/^\s*(Z|$)/.test(spawnSync('ps', ['-o', 'state=', '-p', String(pid)]).stdout.toString())
const portOf = (database: Database): string => new URL(database.url).port
const until = (condition: () => boolean | Promise<boolean>): Promise<unknown> =>
  vi.waitUntil(condition, { timeout: 30_000, interval: 20 })
const count = async (database: Database): Promise<number | undefined> => {
  const { rows } = await sql<{ count: number }>`select count(*) as count from kept`.execute(database.queries)
  return rows[0]?.count
}

describe('an embedded database', () => {
  test('keeps what was written from one opening to the next, and leaves no server behind', async () => {
    used()
    const first = await open()
    await sql`create table kept as select 1`.execute(first.queries)
    const pid = await serverPid()
    await first.close()
    expect(pid !== undefined && isThere(pid)).toBe(false)

    expect(await count(await open())).toBe(1)
  })

  test('can be entered by nobody who cannot read its folder', async () => {
    used()
    const database = await open()
    const modes = await Promise.all(
      ['.', 'password', 'log', 'data'].map((name) => stat(join(folder, 'postgres', name))),
    )
    expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['700', '600', '600', '700'])

    const url = new URL(database.url)
    const secret = url.password
    url.password = 'guess'
    await expect(openDatabase({ kind: 'url', url: url.href })).rejects.toMatchObject({ code: 'database-unavailable' })
    const seen = spawnSync('ps', ['-ef']).stdout.toString()
    expect(seen).toContain(data())
    expect(seen).not.toContain(secret)
  })

  test('opened by several processes at once, the first time included, is one server; the last one out stops it', async () => {
    const [here, there, elsewhere] = await Promise.all([open(), openElsewhere(), openElsewhere()])
    expect([there.port, elsewhere.port]).toEqual([portOf(here), portOf(here)])
    const pid = (await serverPid()) ?? 0

    for (const { child } of [there, elsewhere]) {
      child.kill('SIGTERM')
      await once(child, 'exit')
      expect(await pingDatabase(here)).toEqual({ version: '18.4' })
    }
    await here.close()
    expect(isThere(pid)).toBe(false)
    expect((await readdir(folder)).filter((name) => name !== 'postgres')).toEqual([])
  })

  test('whose user was killed is adopted as it runs, and stopped in the end', async () => {
    used()
    const { child, port } = await openElsewhere()
    const pid = (await serverPid()) ?? 0
    child.kill('SIGKILL')
    await once(child, 'exit')

    const database = await open()
    expect([portOf(database), await serverPid()]).toEqual([port, pid])
    await database.close()
    expect(isThere(pid)).toBe(false)
  })

  test('whose server is killed while in use comes back at the same address', async () => {
    used()
    const database = await open()
    await sql`create table kept as select 1`.execute(database.queries)
    process.kill((await serverPid()) ?? 0, 'SIGKILL')
    await expect(database.patiently(() => count(database))).resolves.toBe(1)
    expect(await pingDatabase(database)).toEqual({ version: '18.4' })
  })

  test('whose server and user were both killed opens again', async () => {
    used()
    const { child } = await openElsewhere()
    const pid = (await serverPid()) ?? 0
    child.kill('SIGKILL')
    process.kill(pid, 'SIGKILL')
    await until(() => !isThere(pid))
    expect(await pingDatabase(await open())).toEqual({ version: '18.4' })
  })

  test('is not taken in by an old pid file whose number belongs to another process', async () => {
    used()
    const lines = [process.pid, data(), 1, 5432, '', '127.0.0.1', '1 1', 'ready   ']
    await writeFile(data('postmaster.pid'), lines.join('\n'))
    expect(await pingDatabase(await open())).toEqual({ version: '18.4' })
  })

  test('made half and then killed is made again', async () => {
    await mkdir(join(folder, 'postgres.draft-999999999-x', 'data'), { recursive: true })
    await open()
    expect(await readdir(folder)).toEqual(['postgres'])
  })
})

describe('a damaged data folder is said to be damaged, with what to do', () => {
  const damages: Record<string, () => Promise<void>> = {
    'an empty control file': () => truncate(data('global', 'pg_control'), 0),
    'a missing log of transactions': () => rm(data('pg_wal'), { recursive: true }),
    'garbage in the log of transactions': async () => {
      for (const name of await readdir(data('pg_wal')))
        if (/^[0-9A-F]{24}$/.test(name)) await writeFile(data('pg_wal', name), Buffer.alloc(16_777_216, 7))
    },
    'a missing system folder': () => rm(data('global'), { recursive: true }),
    'no version': () => rm(data('PG_VERSION')),
    'no password': () => rm(join(folder, 'postgres', 'password')),
    'nothing in it': async () => {
      await rm(join(folder, 'postgres'), { recursive: true })
      await mkdir(join(folder, 'postgres'))
    },
  }
  test.for(Object.entries(damages))('%s', async ([, damage]) => {
    used()
    await damage()
    await expect(open()).rejects.toMatchObject({
      code: 'database-corrupted',
      hint: expect.stringContaining('move it away') as unknown,
    })
    const pid = await serverPid()
    expect(pid !== undefined && isThere(pid)).toBe(false)
  })
})

test('a folder that is a file is refused with what to do', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  await expect(openDatabase({ kind: 'embedded', folder: file })).rejects.toMatchObject({ code: 'database-unavailable' })
})

test('a server that is not there, and an address that is none, are said at once', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  const port = typeof address === 'object' ? address?.port : 0
  const nowhere = openDatabase({ kind: 'url', url: `postgresql://a:b@127.0.0.1:${port}/x` })
  await expect(nowhere).rejects.toMatchObject({ code: 'database-unavailable', retryable: true })
  await expect(openDatabase({ kind: 'url', url: 'mysql://x' })).rejects.toMatchObject({ code: 'bad-settings' })
})

const canMount = process.platform === 'linux' && spawnSync('unshare', ['-m', 'true']).status === 0
describe.skipIf(!canMount)('on a small disk (needs the right to mount)', () => {
  test('a database for which there is no room is refused with what to do, and leaves nothing half made', async () => {
    const disk = await mountDisk('20m')
    try {
      await expect(openDatabase({ kind: 'embedded', folder: disk })).rejects.toMatchObject({ code: 'disk-full' })
      expect(await readdir(disk)).toEqual([])
    } finally {
      spawnSync('umount', ['-l', disk])
    }
  })

  test('a write for which there is no room says so, and after making room everything is there', async () => {
    const disk = await mountDisk('90m')
    const ballast = join(disk, 'ballast')
    try {
      await writeFile(ballast, Buffer.alloc(20_000_000))
      const database = await openDatabase({ kind: 'embedded', folder: disk })
      opened.push(database)
      await sql`create table kept as select 1`.execute(database.queries)
      const fill = database.patiently((queries) =>
        sql`create table big as select repeat(gen_random_uuid()::text, 20) from generate_series(1, 60000)`.execute(
          queries,
        ),
      )
      await expect(fill).rejects.toMatchObject({ code: 'disk-full', retryable: true })
      await rm(ballast)
      expect(await database.patiently(() => count(database))).toBe(1)
      await opened.pop()?.close()
    } finally {
      spawnSync('umount', ['-l', disk])
    }
  })
  async function mountDisk(size: string): Promise<string> {
    const disk = join(folder, 'disk')
    await mkdir(disk)
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]).status).toBe(0)
    return disk
  }
})
