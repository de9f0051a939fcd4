import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withDatabase } from '../../test/database.ts'
import { engineMigrations, migrate } from './migrate.ts'

const database = withDatabase()
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gaffer-migrations-'))
  await writeFile(join(folder, '0001-first.sql'), 'create table first (a int); insert into first values (1);')
})
afterEach(() => rm(folder, { recursive: true, force: true }))
const room = (): { name: string; folder: string } => ({ name: 'room', folder })

describe('migrations', () => {
  test('run once, in order, however many processes start at once', async () => {
    const open = await database()
    await writeFile(join(folder, '0002-second.sql'), 'alter table first add b int default 2;')
    await Promise.all(Array.from({ length: 6 }, () => migrate(open, [engineMigrations, room()])))
    const { rows } = await sql`select * from first`.execute(open.queries)
    expect(rows).toEqual([{ a: 1, b: 2 }])
  })

  test('that fail leave nothing of the whole run behind', async () => {
    const open = await database()
    await writeFile(join(folder, '0002-second.sql'), 'create table second (a int); select nonsense;')
    await expect(migrate(open, [room()])).rejects.toThrow('nonsense')
    const { rows } = await sql`select to_regclass('first') as first, to_regclass('second') as second`.execute(
      open.queries,
    )
    expect(rows).toEqual([{ first: null, second: null }])
  })

  test('that were changed after they ran are refused', async () => {
    const open = await database()
    await migrate(open, [room()])
    await writeFile(join(folder, '0001-first.sql'), 'create table first (a text);')
    await expect(migrate(open, [room()])).rejects.toMatchObject({
      code: 'database-mismatch',
      message: expect.stringContaining('room/0001-first.sql') as unknown,
    })
  })

  test('of a newer Gaffer are refused by an older one', async () => {
    const open = await database()
    await writeFile(join(folder, '0002-second.sql'), 'select 1;')
    await migrate(open, [room()])
    await rm(join(folder, '0002-second.sql'))
    await expect(migrate(open, [room()])).rejects.toMatchObject({
      code: 'database-mismatch',
      hint: expect.stringContaining('newer Gaffer') as unknown,
    })
  })

  test('with a gap in their numbers are a mistake of ours', async () => {
    await writeFile(join(folder, '0003-third.sql'), 'select 1;')
    await expect(migrate(await database(), [room()])).rejects.toThrow('no gap')
  })
})
