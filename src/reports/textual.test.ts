import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { treePath } from './place.ts'
import { quote, tail } from './plain-text.ts'
import { parseTextual } from './textual.ts'

const parse = (output: string) =>
  parseTextual(output, { gate: 'lint', checkout: '/room' }).map(({ rule, level, message, place }) => [
    place?.path,
    place?.line,
    level,
    rule,
    message,
  ])

describe('what checkers print', () => {
  const forms: Record<string, [output: string, found: unknown[]]> = {
    tsc: [`src/a.ts(3,7): error TS2322: Type 'x' is wrong.`, ['src/a.ts', 3, 'error', 'TS2322', `Type 'x' is wrong.`]],
    'tsc with colours': [
      `src/a.ts:3:7 - error TS2322: Type is wrong.`,
      ['src/a.ts', 3, 'error', 'TS2322', 'Type is wrong.'],
    ],
    'eslint and oxlint, unix': [
      `/room/src/a.ts:3:7: Do not. [Warning/no-x]`,
      ['src/a.ts', 3, 'warning', 'no-x', 'Do not.'],
    ],
    gcc: [`src/a.go:3:7: declared and not used: x`, ['src/a.go', 3, 'error', 'reported', 'declared and not used: x']],
    stylish: [`\n/room/src/a.ts\n  3:7  error  Do not  no-x\n\n1 problem`, ['src/a.ts', 3, 'error', 'no-x', 'Do not']],
  }
  for (const [name, [output, found]] of Object.entries(forms))
    test(`${name}`, () => expect(parse(output)).toEqual([found]))

  test('places outside of the checkout are left out', () => {
    expect(parse(`/usr/lib/x.js:1:2: boom\n../x.ts(1,2): error TS1: no`)).toEqual([])
  })

  test('never throws, and names only lines from 1 on', () => {
    const word = fc.constantFrom('src/a.ts', ':', '(', '3', ',', '): error TS1: ', '\n', '  ', ' error ', '[', ']', '/')
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string())), (words) => {
        for (const [, line] of parse(words.join(''))) expect(line).toBeGreaterThan(0)
      }),
    )
  })
})

describe('paths of reports', () => {
  test('are paths of the tree, however they are named', () => {
    for (const named of ['src/a.ts', './src/a.ts', '/room/src/a.ts', 'file:///room/src/a.ts'])
      expect(treePath(named, '/room')).toBe('src/a.ts')
    for (const named of ['/etc/passwd', '../a', 'src/../../a', '', '.', '/room', 'file://host/x'])
      expect(treePath(named, '/room')).toBeNull()
  })
})

describe('text of others in findings', () => {
  test('has no secrets, colours and control characters', () => {
    expect(quote('\u001b[31mred\u001b[0m\u0007 token=abcdef123456')).toBe('red token=[redacted]')
  })
  test('is bounded', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 9_000 }), (text) => {
        expect(quote(text, 100).length).toBeLessThanOrEqual(100)
        expect(tail(text, 3, 100).length).toBeLessThanOrEqual(100)
        expect(tail(text, 3, 100).split('\n').length).toBeLessThanOrEqual(3)
      }),
    )
  })
})
