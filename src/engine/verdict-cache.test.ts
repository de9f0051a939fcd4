import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { withDatabase } from '../../test/database.ts'
import { Fault } from '../domain/fault.ts'
import { notApplicable, passed, unavailable, verdictOf, type Verdict } from '../domain/verdict.ts'
import { createVerdictCache } from './verdict-cache.ts'

const database = withDatabase()

test('a verdict stands until another is put in its place', async () => {
  const cache = createVerdictCache(await database())
  const failed = verdictOf([
    { gate: 'g', rule: 'r', level: 'error', message: 'a\u0000b', place: { path: 'x', line: 1 }, mend: null },
  ])
  for (const verdict of [passed({ tests: 0.1 }), failed, notApplicable('nothing to judge')] satisfies Verdict[]) {
    await cache.put('key', verdict)
    expect(await cache.get('key')).toEqual(verdict)
  }
  expect(await cache.get('other')).toBeUndefined()
})

test('unavailable never stands', async () => {
  const cache = createVerdictCache(await database())
  await cache.put('key', unavailable(new Fault('command-missing', 'no npm', { hint: 'install it' }).toJSON()))
  expect(await cache.get('key')).toBeUndefined()
})

test('a verdict that cannot be read is no verdict', async () => {
  const open = await database()
  await sql`insert into gaffer.verdicts (key, verdict) values ('key', '{"kind":"passed"}')`.execute(open.queries)
  expect(await createVerdictCache(open).get('key')).toBeUndefined()
})
