import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeChange, judgedChange, said } from '../../../test/gate-bench.ts'
import { passed } from '../../domain/verdict.ts'
import type { Report } from '../../reports/report-file.ts'
import { command, decide } from './gate.ts'

const judge = (options: Record<string, unknown>, files: Record<string, string> = { 'src/a.ts': 'one\n' }) =>
  judgeChange(command, { base: {}, tree: files, options: { gate: 'command', ...options } })
const write = (name: string, text: string) => `printf '%s' '${text}' > "$GAFFER_REPORTS/${name}"`

const sarif = (level: string, uri = 'src/a.ts', line = 1) =>
  JSON.stringify({
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'x' } },
        results: [
          {
            ruleId: 'r',
            level,
            message: { text: 'm' },
            locations: [{ physicalLocation: { artifactLocation: { uri }, region: { startLine: line } } }],
          },
        ],
      },
    ],
  })
const junit = (inner: string) => `<testsuites><testsuite name="s">${inner}</testsuite></testsuites>`

describe('the exit code', () => {
  test('0 has passed', async () => expect(said(await judge({ run: 'true' }))).toEqual(['passed']))

  test('any other has failed, with the end of the output', async () => {
    const verdict = await judge({ run: 'seq 1 100; echo "password=Tr0ub4dor3x" >&2; exit 3' })
    expect(verdict).toMatchObject({ kind: 'failed', findings: [{ rule: 'command-failed', gate: 'command' }] })
    const message = verdict.kind === 'failed' ? verdict.findings[0].message : ''
    expect(message).toContain('exit code 3')
    expect(message).toContain('\n100\n')
    expect(message).not.toContain('\n2\n')
    expect(message).not.toContain('Tr0ub4dor3x')
  })

  test('of a command that a signal ended is unavailable', async () => {
    await expect(judge({ run: 'kill -9 $$' })).rejects.toMatchObject({ code: 'command-killed' })
    await expect(judge({ run: 'sh -c "kill -9 \\$\\$"; exit $?' })).rejects.toMatchObject({ code: 'command-killed' })
  })

  test('of a command that is not there is unavailable', async () => {
    await expect(judge({ run: 'no-such-program --x' })).rejects.toMatchObject({ code: 'command-missing' })
  })

  test('without a command is a fault of the settings', async () => {
    await expect(judge({})).rejects.toMatchObject({ code: 'bad-settings' })
    await expect(judge({ run: 'true', saarif: 'x' })).rejects.toMatchObject({ code: 'bad-settings' })
    await expect(judge({ run: 'true', sarif: '../x' })).rejects.toMatchObject({ code: 'bad-settings' })
  })
})

describe('reports', () => {
  const cases: Record<string, [options: Record<string, string>, verdict: string[]]> = {
    'exit 0 with an error in SARIF has failed': [{ sarif: 'a', run: write('a', sarif('error')) }, ['r src/a.ts:1']],
    'exit 0 with a warning in SARIF has passed': [{ sarif: 'a', run: write('a', sarif('warning')) }, ['passed']],
    'exit 1 with a warning in SARIF has failed for it': [
      { sarif: 'a', run: `${write('a', sarif('warning'))}; exit 1` },
      ['r src/a.ts:1'],
    ],
    'a line that does not exist is not named': [
      { sarif: 'a', run: write('a', sarif('error', 'src/a.ts', 9)) },
      ['r src/a.ts'],
    ],
    'a file that does not exist is not named': [{ sarif: 'a', run: write('a', sarif('error', 'src/b.ts')) }, ['r']],
    'exit 0 with a failed test has failed': [
      { junit: 'a', run: write('a', junit('<testcase name="x" file="src/a.ts" line="1"><failure/></testcase>')) },
      ['test-failed src/a.ts:1'],
    ],
    'exit 0 with passed tests has passed': [{ junit: 'a', run: write('a', junit('<testcase name="x"/>')) }, ['passed']],
    'exit 0 with no test is unavailable': [{ junit: 'a', run: write('a', junit('')) }, ['unavailable']],
    'exit 0 with nothing but skipped tests is unavailable': [
      {
        junit: 'a',
        run: write('a', junit('<testcase name="x"><skipped/></testcase><testcase name="y"><skipped/></testcase>')),
      },
      ['unavailable'],
    ],
    'exit 0 with coverage has passed': [{ lcov: 'a', run: write('a', 'SF:a\nDA:1,1\nend_of_record\n') }, ['passed']],
    'exit 0 with coverage of nothing is unavailable': [{ lcov: 'a', run: write('a', 'TN:\n') }, ['unavailable']],
    'exit 0 with a missing report is unavailable': [{ sarif: 'a', run: 'true' }, ['unavailable']],
    'exit 0 with an empty report is unavailable': [{ sarif: 'a', run: write('a', '') }, ['unavailable']],
    'exit 0 with a broken report is unavailable': [{ junit: 'a', run: write('a', '<testsuites>') }, ['unavailable']],
    'exit 1 with a broken report is unavailable': [
      { junit: 'a', run: `${write('a', '<testsuites>')}; exit 1` },
      ['unavailable'],
    ],
    'exit 1 with a missing report has failed': [{ junit: 'a', run: 'echo no; exit 1' }, ['command-failed']],
    'exit 1 with a report that is all well has failed': [
      { junit: 'a', run: `${write('a', junit('<testcase name="x"/>'))}; exit 1` },
      ['command-failed'],
    ],
    'one broken report among several is unavailable': [
      { junit: 'a', sarif: 'b', run: `${write('a', junit('<testcase name="x"/>'))}; ${write('b', '{}')}` },
      ['unavailable'],
    ],
  }
  for (const [name, [options, verdict]] of Object.entries(cases))
    test(`${name}`, async () => expect(said(await judge(options))).toEqual(verdict))

  test('one that the tree brings along is not read', async () => {
    const verdict = await judge({ junit: 'a.xml', run: 'true' }, { 'a.xml': junit('<testcase name="x"/>') })
    expect(said(verdict)).toEqual(['unavailable'])
  })

  test('are counted in the measures', async () => {
    const run = `${write('a', junit('<testcase name="x"/><testcase name="y"><skipped/></testcase>'))}; ${write('b', 'SF:a\nDA:1,1\nDA:2,0\nend_of_record\n')}`
    expect(await judge({ junit: 'a', lcov: 'b', run })).toMatchObject({
      measures: { tests: 2, skipped: 1, failures: 0, coverableLines: 2, coveredLines: 1 },
    })
  })
})

test('nothing but exit 0 with every report read and well has passed', () => {
  const report = <Content>(content: Content): fc.Arbitrary<Report<Content> | undefined> => {
    const cause = { code: 'report-unusable', message: 'm', hint: 'h', retryable: false } as const
    return fc.constantFrom({ kind: 'read', content }, { kind: 'absent', cause }, { kind: 'unusable', cause }, undefined)
  }
  const outcome = fc.constantFrom('passed' as const, 'failed' as const, 'skipped' as const)
  fc.assert(
    fc.property(
      fc.constantFrom(0, 1),
      report({ results: [], suppressed: 0, toolFailed: false }),
      outcome.chain((how) =>
        report({
          cases: [{ name: 'a', suites: [], outcome: how, file: null, line: null, message: '' }],
          unlistedFailures: 0,
        }),
      ),
      report({ files: [{ path: 'a', lines: new Map([[1, 1]]) }] }),
      (exitCode, log, tests, lcov) => {
        const ended = { exitCode, output: '', durationMs: 1, startedAt: 0 }
        const verdict = decide(ended, { sarif: log, junit: tests, lcov }, { gate: 'command', checkout: '/room' })
        const all = [log, tests, lcov].every((one) => one === undefined || one.kind === 'read')
        const well = tests?.kind !== 'read' || tests.content.cases.every((one) => one.outcome === 'passed')
        expect(verdict.kind === passed().kind).toBe(exitCode === 0 && all && well)
      },
    ),
  )
})

test('the cache key is the whole tree, the level and the machine', async () => {
  const readsOf = async (text: string, level: 'unit' | 'final') =>
    JSON.stringify(command.reads(await judgedChange(command, { tree: { a: text }, level })))
  const keys = await Promise.all([readsOf('1', 'unit'), readsOf('2', 'unit'), readsOf('1', 'final')])
  expect(new Set(keys).size).toBe(3)
  expect(await readsOf('1', 'unit')).toBe(keys[0])
})
