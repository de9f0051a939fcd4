import { execPath } from 'node:process'
import { describe, expect, test } from 'vitest'
import { judgeChange, judgedChange, said, someBrief, type Change } from '../../../test/gate-bench.ts'
import type { TestCase } from '../../reports/junit.ts'
import { isShown } from './acceptance.ts'
import { tests } from './gate.ts'

const run = 'node --test --test-reporter=junit --test-reporter-destination="$GAFFER_REPORTS/junit.xml"'
const good = `import { test } from 'node:test'\nimport assert from 'node:assert'\ntest('adds', () => assert.equal(1 + 1, 2))\n`
const bad = good.replace('2))', '3))')
const judge = (files: Record<string, string>, more: Partial<Change> = {}) =>
  judgeChange(tests, { base: {}, tree: files, options: { run }, ...more })
const acceptance = (named: string) => someBrief({ acceptance: [{ id: 'A1', text: 'adds', line: 1, test: named }] })

describe('tests that run', () => {
  test('and pass have passed', async () => {
    expect(execPath).toContain('node')
    expect(await judge({ 'test/a.test.mjs': good })).toMatchObject({
      kind: 'passed',
      measures: { tests: 1, passed: 1 },
    })
  })

  test('and fail are findings with the line that failed', async () => {
    expect(said(await judge({ 'test/a.test.mjs': bad }))).toEqual(['test-failed test/a.test.mjs:3'])
  })

  test('and cannot be loaded have failed', async () => {
    expect(said(await judge({ 'test/a.test.mjs': 'syntax error here' }))).toEqual(['test-failed test/a.test.mjs'])
  })

  test('and are skipped are counted', async () => {
    const text = `${good}test.skip('later', () => {})`
    expect(await judge({ 'test/a.test.mjs': text })).toMatchObject({
      kind: 'passed',
      measures: { tests: 2, skipped: 1 },
    })
  })

  test('none of them are unavailable', async () => {
    const message = expect.stringContaining('ran no test')
    expect(await judge({ 'a.mjs': '' })).toMatchObject({ kind: 'unavailable', cause: { message } })
    const skipped = good.replace('test(', 'test.skip(')
    expect(await judge({ 'test/a.test.mjs': skipped })).toMatchObject({ kind: 'unavailable', cause: { message } })
  })

  test('with no report are unavailable, and failed when the command says no', async () => {
    expect(said(await judge({}, { options: { run: 'true' } }))).toEqual(['unavailable'])
    expect(said(await judge({}, { options: { run: 'exit 1' } }))).toEqual(['command-failed'])
  })

  test('all well in the report and not in the exit code have failed', async () => {
    const verdict = await judge({ 'test/a.test.mjs': good }, { options: { run: `${run}; exit 1` } })
    expect(said(verdict)).toEqual(['exit-contradicts-report'])
  })

  test('failed in the report and well in the exit code have failed', async () => {
    const verdict = await judge({ 'test/a.test.mjs': bad }, { options: { run: `${run}; exit 0` } })
    expect(said(verdict)).toEqual(['test-failed test/a.test.mjs:3'])
  })
})

describe('compared with the base', () => {
  const files = { 'test/a.test.mjs': good }
  test('fewer tests are found', async () => {
    expect(said(await judge(files, { baseline: { tests: 3, skipped: 1 } }))).toEqual(['fewer-tests'])
  })
  test('as many tests pass, and nothing is said of an unknown base', async () => {
    const verdict = await judge(files, { baseline: { tests: 1, skipped: 0 } })
    expect(verdict).toMatchObject({ kind: 'passed' })
    expect(verdict).not.toHaveProperty('measures.baseUnknown')
  })
  test.each([[null], [{ tests: 2, skipped: 2 }], [{}]])(
    'with no test known to have run there (%j) it is said that the base is unknown',
    async (baseline) => {
      expect(await judge(files, { baseline })).toMatchObject({ kind: 'passed', measures: { baseUnknown: 1 } })
    },
  )
  test('one skipped test of the base is no test to keep', async () => {
    expect(said(await judge(files, { baseline: { tests: 2, skipped: 1 } }))).toEqual(['passed'])
  })
})

describe('acceptance', () => {
  const files = { 'test/a.test.mjs': good }
  test('that names a test that passed is shown', async () => {
    for (const named of ['adds', 'test/a.test.mjs', 'test/a.test.mjs > adds'])
      expect(said(await judge(files, { level: 'final', brief: acceptance(named) }))).toEqual(['passed'])
  })
  test('that names a test that is not there is found at the end', async () => {
    const brief = acceptance('test/a.test.mjs > subtracts')
    expect(said(await judge(files, { level: 'final', brief }))).toEqual(['acceptance-not-shown'])
    expect(said(await judge(files, { level: 'unit', brief }))).toEqual(['passed'])
  })
  test('that names a skipped test is found', async () => {
    const text = `${good}test.skip('later', () => {})`
    const verdict = await judge({ 'test/a.test.mjs': text }, { level: 'final', brief: acceptance('later') })
    expect(said(verdict)).toEqual(['acceptance-not-shown'])
  })

  const named = (suites: string[], name: string, file: string | null = '/room/test/a.test.ts'): TestCase => ({
    name,
    suites,
    outcome: 'passed',
    file,
    line: null,
    message: '',
  })
  const all = [named(['orders', 'reading'], 'refuses null'), named(['/room/test/a.test.ts'], 'orders > says "no"')]
  const shown = [
    'refuses null',
    'orders > reading > refuses null',
    'reading > refuses null',
    'orders reading refuses null',
    'orders > reading',
    'test/a.test.ts',
    'a.test.ts > refuses null',
    './test/a.test.ts > orders > says "no"',
    'orders > says "no"',
  ]
  for (const text of shown) test(`is shown by ${text}`, () => expect(isShown(text, all, '/room')).toBe(true))
  const notShown = [
    'refuses',
    'null',
    'orders > refuses null',
    'b.test.ts',
    'test/a.test.ts > other',
    'st/a.test.ts',
    '',
  ]
  for (const text of notShown)
    test(`is not shown by ${JSON.stringify(text)}`, () => expect(isShown(text, all, '/room')).toBe(false))
})

test('the cache key holds what is known of the base, and the acceptance at the end', async () => {
  const readsOf = async (change: Partial<Change>) =>
    JSON.stringify(tests.reads(await judgedChange(tests, { tree: { a: '1' }, ...change })))
  const keys = await Promise.all([
    readsOf({}),
    readsOf({ baseline: { tests: 3 } }),
    readsOf({ level: 'final' }),
    readsOf({ level: 'final', brief: acceptance('adds') }),
    readsOf({ tree: { a: '2' } }),
  ])
  expect(new Set(keys).size).toBe(5)
  expect(await readsOf({ brief: acceptance('adds') })).toBe(keys[0])
})
