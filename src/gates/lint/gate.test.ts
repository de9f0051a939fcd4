import { describe, expect, test } from 'vitest'
import { judgeChange, judgedChange, said } from '../../../test/gate-bench.ts'
import { lint } from './gate.ts'

const judge = (options: Record<string, unknown>) => judgeChange(lint, { tree: { 'src/a.ts': 'one\ntwo\n' }, options })
const log = JSON.stringify({
  version: '2.1.0',
  runs: [
    {
      tool: { driver: { name: 'x' } },
      results: [
        {
          ruleId: 'no-x',
          level: 'error',
          message: { text: 'Do not.' },
          locations: [{ physicalLocation: { artifactLocation: { uri: 'src/a.ts' }, region: { startLine: 2 } } }],
        },
      ],
    },
  ],
})

describe('lint', () => {
  const cases: Record<string, [options: Record<string, string>, verdict: string[]]> = {
    'has passed when the linter ends with 0': [{ run: 'true' }, ['passed']],
    'has passed with printed warnings': [{ run: 'echo "src/a.ts:1:1: Hm. [Warning/no-x]"' }, ['passed']],
    'has failed with the places it prints': [
      { run: 'echo "$PWD/src/a.ts:2:1: Do not. [Error/no-x]"; exit 1' },
      ['no-x src/a.ts:2'],
    ],
    'names no line that is not there': [
      { run: 'echo "src/a.ts:9:1: Do not. [Error/no-x]"; exit 1' },
      ['no-x src/a.ts'],
    ],
    'has failed with the end of the output when that names no place': [
      { run: 'echo "src/b.ts:1:1: no such file"; echo sorry; exit 2' },
      ['command-failed'],
    ],
    'has failed with the results of its log': [
      { sarif: 'lint.sarif', run: `printf '%s' '${log}' > "$GAFFER_REPORTS/lint.sarif"; exit 1` },
      ['no-x src/a.ts:2'],
    ],
    'has failed for its log though it ended with 0': [
      { sarif: 'lint.sarif', run: `printf '%s' '${log}' > "$GAFFER_REPORTS/lint.sarif"` },
      ['no-x src/a.ts:2'],
    ],
    'is unavailable when its log is missing': [{ sarif: 'lint.sarif', run: 'true' }, ['unavailable']],
  }
  for (const [name, [options, verdict]] of Object.entries(cases))
    test(`${name}`, async () => expect(said(await judge(options))).toEqual(verdict))

  test('is unavailable when there is no linter', async () => {
    await expect(judge({ run: 'no-such-linter .' })).rejects.toMatchObject({ code: 'command-missing' })
  })

  test('has a cache key of the whole tree', async () => {
    const readsOf = async (text: string) => lint.reads(await judgedChange(lint, { tree: { a: text } }))
    expect(await readsOf('1')).not.toEqual(await readsOf('2'))
  })
})
