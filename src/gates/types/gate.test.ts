import { describe, expect, test } from 'vitest'
import { judgeChange, judgedChange, said } from '../../../test/gate-bench.ts'
import { types } from './gate.ts'

const judge = (run: string) => judgeChange(types, { tree: { 'src/a.ts': 'one\ntwo\n' }, options: { run } })
const line = `src/a.ts(2,7): error TS2322: Type "x" is wrong.`

describe('types', () => {
  const cases: Record<string, [run: string, verdict: string[]]> = {
    'have passed when the checker ends with 0': ['true', ['passed']],
    'have failed with the places it prints': [`echo '${line}'; exit 2`, ['TS2322 src/a.ts:2']],
    'have failed when it prints an error and ends with 0': [`echo '${line}'; exit 0`, ['TS2322 src/a.ts:2']],
    'have failed with the end of the output when that names no place': ['echo sorry; exit 1', ['command-failed']],
    'have failed with what a coloured checker prints': [
      `printf '\\033[96msrc/a.ts\\033[0m:\\033[93m2\\033[0m:7 - error TS2322: no\\n'; exit 2`,
      ['TS2322 src/a.ts:2'],
    ],
  }
  for (const [name, [run, verdict]] of Object.entries(cases))
    test(`${name}`, async () => expect(said(await judge(run))).toEqual(verdict))

  test('name at most a hundred findings, and how many more there are', async () => {
    const verdict = await judge(`for i in $(seq 1 250); do echo "src/a.ts(1,$i): error TS1: $i"; done; exit 1`)
    expect(verdict.kind === 'failed' && verdict.findings).toHaveLength(100)
    expect(verdict).toMatchObject({ measures: { errors: 250 } })
    expect(said(verdict).at(-1)).toBe('more-findings')
  })

  test('have a cache key of the whole tree', async () => {
    const readsOf = async (text: string) => types.reads(await judgedChange(types, { tree: { a: text } }))
    expect(await readsOf('1')).not.toEqual(await readsOf('2'))
  })
})
