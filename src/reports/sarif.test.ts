import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSarif } from './sarif.ts'

const log = (run: Record<string, unknown>) =>
  JSON.stringify({
    version: '2.1.0',
    runs: [
      { tool: { driver: { name: 'lint', rules: [{ id: 'r1', defaultConfiguration: { level: 'error' } }] } }, ...run },
    ],
  })
const at = (uri: string, startLine: number) => [
  { physicalLocation: { artifactLocation: { uri }, region: { startLine } } },
]

describe('a SARIF log', () => {
  test('gives results with rule, level and place', () => {
    const results = [
      { ruleId: 'r2', level: 'note', message: { text: 'a' }, locations: at('src/a.ts', 3) },
      { ruleIndex: 0, message: { text: 'b' } },
      { ruleId: 'r3', message: { text: 'c' } },
    ]
    expect(parseSarif(log({ results }))?.results).toEqual([
      { rule: 'r2', level: 'note', message: 'a', uri: 'src/a.ts', line: 3 },
      { rule: 'r1', level: 'error', message: 'b', uri: null, line: null },
      { rule: 'r3', level: 'warning', message: 'c', uri: null, line: null },
    ])
  })

  test('counts what was suppressed, and leaves out what is no problem', () => {
    const results = [
      { ruleId: 'r1', message: { text: 'a' }, suppressions: [{ kind: 'inSource' }] },
      { ruleId: 'r1', message: { text: 'b' }, suppressions: [{ status: 'rejected' }] },
      { ruleId: 'r1', kind: 'pass', message: { text: 'c' } },
      { ruleId: 'r1', level: 'none', message: { text: 'd' } },
    ]
    expect(parseSarif(log({ results }))).toMatchObject({ suppressed: 1, results: [{ message: 'b' }] })
  })

  test('says when its tool could not do its work', () => {
    expect(parseSarif(log({ results: [], invocations: [{ executionSuccessful: false }] }))?.toolFailed).toBe(true)
    expect(parseSarif(log({ results: [] }))?.toolFailed).toBe(false)
  })

  const unreadable = {
    'with no run': JSON.stringify({ version: '2.1.0', runs: [] }),
    'whose run has no results': log({}),
    'of another version': JSON.stringify({ version: '1.0.0', runs: [] }),
    'that was cut': log({ results: [] }).slice(0, -3),
    'that is empty JSON': '{}',
  }
  for (const [name, text] of Object.entries(unreadable))
    test(`${name} cannot be read`, () => expect(parseSarif(text)).toBeUndefined())

  test('never throws, whatever the text', () => {
    const value = fc.jsonValue()
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseSarif(text)))
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('ruleId', 'level', 'message', 'locations', 'kind', 'suppressions'), value),
        (result) => {
          const read = parseSarif(log({ results: [result] }))
          expect(read === undefined || read.results.length + read.suppressed <= 1).toBe(true)
        },
      ),
    )
  })
})
