import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../domain/fault.ts'
import type { Json } from '../../domain/json.ts'
import { formatSession, parseSession } from './session-file.ts'
import type { ReplaySession, Step } from './step.ts'

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', ' ', '\n', 'a\n\n  b\n', '- x: y', '\t', '# no', 'é\r\n', '\u2028'),
)
const path = text.filter((value) => value !== '')
const kinds = fc.constantFrom('edit', 'execute', 'other')
const json = fc
  .jsonValue({ noUnicodeString: false } as object)
  .map((value) => JSON.parse(JSON.stringify(value)) as Json)

const { step } = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text.map((value): Step => ({ kind: 'say', text: value })),
    text.map((value): Step => ({ kind: 'think', text: value })),
    json.map((value): Step => ({ kind: 'answer', value })),
    fc.record({ kind: fc.constant('write' as const), path, content: text }),
    fc.record({ kind: fc.constant('edit' as const), path, find: path, replace: text }),
    fc.record({ kind: fc.constant('symlink' as const), path, target: path }),
    path.map((value): Step => ({ kind: 'delete', path: value })),
    path.map((value): Step => ({ kind: 'run', command: value })),
    path.map((value): Step => ({ kind: 'spawn', command: value })),
    fc.integer({ min: 0, max: 3_600 }).map((seconds): Step => ({ kind: 'wait', seconds })),
    fc.integer({ min: 0, max: 255 }).map((code): Step => ({ kind: 'crash', code })),
    fc.integer({ min: 1 }).map((bytes): Step => ({ kind: 'flood', bytes })),
    fc.constant<Step>({ kind: 'hang' }),
    fc.record({
      kind: fc.constant('ask' as const),
      title: path,
      about: kinds,
      path: fc.option(path),
      onAllow: fc.array(tie('step'), { maxLength: 2 }),
      onDeny: fc.array(tie('step'), { maxLength: 2 }),
    }),
  ),
}))
const turn = fc.record({ when: fc.option(path), steps: fc.array(step, { maxLength: 6 }) })
const session: fc.Arbitrary<ReplaySession> = fc.record({ model: path, turns: fc.array(turn, { maxLength: 4 }) })

describe('a session file', () => {
  test('written and read again is the same session', () => {
    fc.assert(
      fc.property(session, (written) => {
        expect(parseSession(formatSession(written), 'x')).toEqual(written)
      }),
      { numRuns: 300 },
    )
  })

  test('any text is a session or a fault that says where it is wrong', () => {
    const broken = fc.tuple(session, fc.nat(), fc.string({ maxLength: 5 })).map(([written, at, wedge]) => {
      const good = formatSession(written)
      return good.slice(0, at % good.length) + wedge + good.slice((at % good.length) + 1)
    })
    fc.assert(
      fc.property(fc.oneof(fc.string(), broken), (content) => {
        expect(readable(content)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    [
      'version: 1\nturns:\n  - do:\n      - say: hi\n      - shout: hi\n',
      'line 5: turns.0.do.1: a step has exactly one key of say',
    ],
    [
      'version: 1\nturns:\n  - do:\n      - say: a\n        think: b\n',
      'line 4: turns.0.do.0: a step has exactly one key',
    ],
    ['version: 1\nturns:\n  - do:\n      - write:\n          path: a\n', 'line 5: turns.0.do.0.write.content'],
    [
      'version: 1\nturns:\n  - do:\n      - ask: { title: t, onDeny: [{ say: a }, { wait: soon }] }\n',
      'line 4: turns.0.do.0.ask.onDeny.1.wait',
    ],
    ['version: 2\nturns: []\n', 'line 1: version'],
    ['turns: []\n', 'line 1: version'],
    ['version: 1\nturns: []\nturn: 3\n', 'line 3: turn: Unrecognized key: "turn"'],
    ['version: 1\nturns: [\n', 'line 3: '],
    ['', 'line 1: the file'],
  ])('%j is refused with its line', (content, problem) => {
    expect(() => parseSession(content, 'x')).toThrow(problem)
  })

  test('a file that would grow without bound is refused', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      ...['b', 'c', 'd', 'e', 'f'].map(
        (name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdef'[index]}`).join()}]`,
      ),
    ]
    expect(() => parseSession(bomb.join('\n'), 'x')).toThrow('is no session file')
  })
})

/** Whether parsing ends in a session or in the fault for bad input; anything else is a bug and throws. */
function readable(content: string): boolean {
  try {
    return parseSession(content, 'the file').turns.length >= 0
  } catch (error) {
    if (error instanceof Fault && error.message.startsWith('the file is no session file; '))
      return error.code === 'bad-input'
    throw error
  }
}
