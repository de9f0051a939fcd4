import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { UnitOnTheWire } from '../../contract/task-detail.ts'
import { measurePatch } from './measure-patch.ts'
import { riskOf } from './risk.ts'

describe('the size of a change', () => {
  it('counts lines that look like headers as what they are', () => {
    const patch = [
      'diff --git a/notes.sql b/notes.sql',
      '--- a/notes.sql',
      '+++ b/notes.sql',
      '@@ -1,3 +1,3 @@',
      '--- a comment in SQL that goes',
      '+++ what comes for it',
      ' stays',
      ' stays',
      '\\ No newline at end of file',
      'diff --git a/new b/new',
      'new file mode 100644',
      '--- /dev/null',
      '+++ b/new',
      '@@ -0,0 +1 @@',
      '+one',
    ].join('\n')
    expect(measurePatch(patch)).toEqual({
      files: [
        { path: 'notes.sql', added: 1, removed: 1 },
        { path: 'new', added: 1, removed: 0 },
      ],
      added: 2,
      removed: 1,
    })
  })

  it('counts every line of any hunk, whatever stands in it', () => {
    const line = fc.record({
      sign: fc.constantFrom('+', '-', ' '),
      text: fc.string().map((text) => text.replaceAll(/[\r\n]/g, '')),
    })
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (lines) => {
        const of = (...signs: readonly string[]): number => lines.filter(({ sign }) => signs.includes(sign)).length
        const header = `@@ -1,${of('-', ' ')} +1,${of('+', ' ')} @@`
        const patch = [
          'diff --git a/x b/x',
          '--- a/x',
          '+++ b/x',
          header,
          ...lines.map(({ sign, text }) => sign + text),
        ].join('\n')
        expect(measurePatch(patch)).toMatchObject({ added: of('+'), removed: of('-') })
      }),
    )
  })

  it('takes any text at all', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { added, removed } = measurePatch(text)
        expect(added + removed).toBeLessThanOrEqual(text.split('\n').length)
      }),
    )
  })
})

describe('the risk of a unit', () => {
  const unit: UnitOnTheWire = {
    id: 'read-order',
    title: 'Read one order',
    goal: 'x',
    acceptance: [],
    files: [],
    revises: null,
    status: 'checkpointed',
    rounds: [],
    checkpoint: {
      commit: 'a'.repeat(40),
      tree: 'b'.repeat(40),
      results: [],
      claims: { why: 'x', scale: 'x', rules: 'x' },
    },
    review: { kind: 'waits' },
  }
  const change = (path: string, lines = 1): string =>
    [`diff --git a/${path} b/${path}`, `@@ -0,0 +1,${lines} @@`, ...Array.from({ length: lines }, () => '+x')].join(
      '\n',
    )

  it('says why a unit is worth a closer look', () => {
    const caught = { ...unit, rounds: [{ number: 1, outcome: 'failed' as const, findings: [] }] }
    expect(riskOf(caught, change('package.json')).reasons).toEqual([
      'caught in 1 round',
      'touches dependencies',
      'no test changed',
    ])
    expect(riskOf(unit, `${change('src/a.ts')}\n${change('test/a.test.ts')}`).reasons).toEqual([])
    expect(riskOf(unit, `${change('src/session-store.ts', 300)}`).reasons).toEqual([
      'touches security',
      'no test changed',
      'large',
    ])
  })

  it('puts the touchy before the harmless of the same size, and the larger before the smaller', () => {
    const weight = (patch: string): number => riskOf(unit, patch).weight
    expect(weight(change('db/migrations/1.sql'))).toBeGreaterThan(weight(change('src/a.ts')))
    expect(weight(change('src/a.ts', 50))).toBeGreaterThan(weight(change('src/a.ts', 5)))
  })
})
