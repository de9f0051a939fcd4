import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeChange, judgedChange, said, someSettings } from '../../../test/gate-bench.ts'
import { withSyntax } from '../../codegraph/syntax.ts'
import { extractTests } from './extract-tests.ts'
import { contracts } from './gate.ts'
import { mostHelpers } from './read-sides.ts'

const settings = someSettings({ contracts: ['test/contract/**', 'api.yaml'] })
const judge = (base: Record<string, string>, tree: Record<string, string>) => judgeChange(contracts, { base, tree })
/** One file before and after. */
const rewrite = async (before: string, after: string, path = 'src/a.test.ts') =>
  said(await judge({ [path]: before }, { [path]: after }))

describe('contracts are byte-identical to the base', () => {
  const base = { 'test/contract/a.test.ts': 'one', 'api.yaml': 'two', 'src/a.ts': 'three' }
  const cases: Record<string, [tree: Parameters<typeof judgeChange>[1]['tree'], findings: string[]]> = {
    'a change elsewhere passes': [{ ...base, 'src/a.ts': 'changed' }, ['passed']],
    'a changed one is found': [{ ...base, 'api.yaml': 'changed' }, ['contract-changed api.yaml']],
    'a deleted one is found': [{ 'api.yaml': 'two', 'src/a.ts': 'three' }, ['contract-changed']],
    'a changed mode is found': [{ ...base, 'api.yaml': { executable: 'two' } }, ['contract-changed api.yaml']],
    'a symlink in its place is found': [{ ...base, 'api.yaml': { link: 'src/a.ts' } }, ['contract-changed api.yaml']],
    'an added one is found': [{ ...base, 'test/contract/b.test.ts': '' }, ['contract-changed test/contract/b.test.ts']],
    'a hidden one is found': [{ ...base, 'test/contract/.x': '' }, ['contract-changed test/contract/.x']],
    'another case of letters is found': [
      { ...base, 'Test/Contract/a.test.ts': 'one' },
      ['contract-changed Test/Contract/a.test.ts'],
    ],
    'a symlink in the place of their folder is found': [
      { 'api.yaml': 'two', 'src/a.ts': 'three', 'test/contract': { link: '../src' } },
      ['contract-changed test/contract', 'contract-changed'],
    ],
  }
  for (const [name, [tree, findings]] of Object.entries(cases))
    test(`${name}`, async () => {
      expect(said(await judgeChange(contracts, { base, tree: tree ?? {}, settings }))).toEqual(findings)
    })

  test('with no contract declared and no test changed the gate has nothing to say', async () => {
    expect(said(await judge({ 'src/a.ts': '1' }, { 'src/a.ts': '2' }))).toEqual(['not-applicable'])
  })

  test('an option it does not know is refused', async () => {
    const change = { base, tree: { ...base, 'api.yaml': '' }, settings, options: { allow: ['api.yaml'] } }
    await expect(judgeChange(contracts, change)).rejects.toMatchObject({ code: 'bad-settings' })
  })
})

const whole = `import { test, expect } from 'vitest'
test('sums', () => {
  expect(sum(1, 2)).toBe(3)
  expect(sum(0, 0)).toBe(0)
})
`
describe('tests are not weakened', () => {
  const weaker: Record<string, [before: string, after: string, rules: string[]]> = {
    'an assertion removed': [whole, whole.replace('  expect(sum(0, 0)).toBe(0)\n', ''), ['assertions-removed']],
    'an assertion commented out': [whole, whole.replace('  expect(sum(0', '  // expect(sum(0'), ['assertions-removed']],
    'an assertion made trivial': [
      whole,
      whole.replace('expect(sum(0, 0)).toBe(0)', 'expect(true).toBe(true)'),
      ['assertions-removed'],
    ],
    'an assertion compared with itself': [
      `test('a', () => { const x = f(); expect(x).toBe(3) })`,
      `test('a', () => { const x = f(); expect(x).toBe(x) })`,
      ['assertions-removed'],
    ],
    'assert.equal made assert.ok(true)': [
      `test('a', () => { assert.equal(f(), 3) })`,
      `test('a', () => { assert.ok(true) })`,
      ['assertions-removed'],
    ],
    'or true': [
      `test('a', () => { assert(f() === 3) })`,
      `test('a', () => { assert(f() === 3 || true) })`,
      ['assertions-removed'],
    ],
    'a value only asserted to be there': [whole, whole.replace('toBe(3)', 'toBeDefined()'), ['assertions-weakened']],
    skipped: [whole, whole.replace('test(', 'test.skip('), ['test-skipped']],
    'skipped by another name': [whole, whole.replace(`test('sums'`, `xit('sums'`), ['test-skipped']],
    'skipped in brackets': [whole, whole.replace(`test('sums'`, `test['skip']('sums'`), ['test-skipped']],
    'skipped by an option': [whole, whole.replace(`'sums', `, `'sums', { skip: true }, `), ['test-skipped']],
    'skipped by a reason': [whole, whole.replace(`'sums', `, `'sums', { skip: 'flaky' }, `), ['test-skipped']],
    'skipped by its context': [whole, whole.replace('() => {', '(t) => { t.skip();'), ['test-skipped']],
    'skipped by a context taken apart': [whole, whole.replace('() => {', '({ skip }) => { skip();'), ['test-skipped']],
    'skipped under a condition': [whole, whole.replace('test(', 'test.skipIf(process.env.CI)('), ['test-skipped']],
    'skipped with its group': [
      `describe('g', () => { ${whole.slice(whole.indexOf('test('))} })`,
      `describe.skip('g', () => { ${whole.slice(whole.indexOf('test('))} })`,
      ['test-skipped'],
    ],
    'made a todo': [whole, whole.replace('test(', 'test.todo('), ['test-skipped']],
    'expected to fail': [whole, whole.replace('test(', 'test.fails('), ['test-skipped']],
    'another one made the only one': [whole, `${whole}test.only('new', () => { expect(f()).toBe(1) })`, ['test-only']],
    'made the only one by fit': [whole, whole.replace(`test('sums'`, `fit('sums'`), ['test-only']],
    removed: [`${whole}test('more', () => { expect(g()).toBe(9) })`, whole, ['test-removed']],
    'renamed to something else': [
      whole,
      `test('other', () => { expect(other.thing).toEqual({ a: 'b' }) })`,
      ['test-removed'],
    ],
    'swallowed by a try': [
      whole,
      whole.replace('  expect(sum(1, 2)).toBe(3)', '  try { expect(sum(1, 2)).toBe(3) } catch { /* flaky */ }'),
      ['assertions-removed'],
    ],
    'swallowed by a promise': [
      `test('a', async () => { await expect(f()).resolves.toBe(1) })`,
      `test('a', async () => { await expect(f()).resolves.toBe(1).catch(() => {}) })`,
      ['assertions-removed'],
    ],
    'behind a return': [whole, whole.replace('() => {', '() => { return;'), ['assertions-removed']],
    'in an if that is never true': [
      `test('a', () => { expect(f()).toBe(1) })`,
      `test('a', () => { if (false) { expect(f()).toBe(1) } })`,
      ['assertions-removed'],
    ],
    'rows taken from a table': [
      `test.each([1, 2, 3])('a %s', (n) => { expect(f(n)).toBe(n) })`,
      `test.each([1, 3])('a %s', (n) => { expect(f(n)).toBe(n) })`,
      ['rows-removed'],
    ],
    'a helper emptied': [
      `function expectSum(n) { expect(n).toBe(1); expect(n).toBeTypeOf('number') }\ntest('a', () => { expectSum(f()) })`,
      `function expectSum(n) { expect(n).toBe(1) }\ntest('a', () => { expectSum(f()) })`,
      ['assertions-removed', 'assertions-removed'],
    ],
    'a syntax error': [whole, `${whole}\n}{ (`, ['test-unreadable']],
    'a new test that says nothing': [
      whole,
      `${whole}test('more', () => { expect(true).toBe(true) })`,
      ['trivial-test'],
    ],
    'chained expectations': [
      `test('a', () => request(app).get('/').expect(200).expect(/ok/))`,
      `test('a', () => request(app).get('/').expect(200))`,
      ['assertions-removed'],
    ],
    'assertions of a test context': [
      `test('a', (t) => { t.is(f(), 1); t.deepEqual(g(), []) })`,
      `test('a', (t) => { t.is(f(), 1) })`,
      ['assertions-removed'],
    ],
    'assertions of node:test': [
      `test('a', (t) => { t.assert.equal(f(), 1); t.assert.equal(g(), 1) })`,
      `test('a', (t) => { t.assert.equal(f(), 1) })`,
      ['assertions-removed'],
    ],
    'a nested test removed': [
      `test('a', async (t) => { await t.test('b', () => { assert.equal(f(), 1) }) })`,
      `test('a', async (t) => { })`,
      ['test-removed'],
    ],
  }
  for (const [name, [before, after, rules]] of Object.entries(weaker))
    test(`${name} is found`, async () => {
      expect((await rewrite(before, after)).map((one) => one.split(' ')[0])).toEqual(rules)
    })

  const honest: Record<string, [before: string, after: string]> = {
    'an added test': [whole, `${whole}test('more', () => { expect(g()).toBe(9) })`],
    'an added assertion': [whole, whole.replace('toBe(3)', 'toBe(3)\n  expect(sum(2, 2)).toBe(4)')],
    'another value': [whole, whole.replace('sum(1, 2)).toBe(3)', 'sum(1, 4)).toBe(5)')],
    'a renamed test': [whole, whole.replace(`'sums'`, `'adds two numbers up'`)],
    'a test in a group': [whole, `describe('sum', () => { ${whole.slice(whole.indexOf('test('))} })`],
    'assertions moved into a helper of the file': [
      whole,
      `const expectSums = () => { expect(sum(1, 2)).toBe(3); expect(sum(0, 0)).toBe(0) }\ntest('sums', () => { expectSums() })`,
    ],
    'assertions moved into a local function': [
      whole,
      `test('sums', () => { const check = () => { expect(sum(1, 2)).toBe(3); expect(sum(0, 0)).toBe(0) }; check() })`,
    ],
    'a new test that a platform skips': [
      whole,
      `${whole}test.skipIf(process.platform === 'win32')('more', () => { expect(g()).toBe(9) })`,
    ],
    'a skip taken away': [whole.replace('test(', 'test.skip('), whole],
    'a try whose catch asserts': [
      `test('a', async () => { await expect(f()).rejects.toThrow('no') })`,
      `test('a', async () => { try { await f(); assert.fail('no throw') } catch (e) { expect(e.message).toBe('no') } })`,
    ],
    'a skip that is false': [whole, whole.replace(`'sums', `, `'sums', { skip: false }, `)],
    'a word that only looks like one': [whole, `${whole}list.skip(); items.only('x', () => {})`],
    'other layout': [whole, whole.replaceAll('\n', '\n\n').replaceAll(`'`, `"`)],
    'JSX in a test': [
      `test('a', () => { render(<App x={1} />); expect(screen.text()).toBe('x') })`,
      `test('a', () => { render(<App x={2} />); expect(screen.text()).toBe('x') })`,
    ],
  }
  for (const [name, [before, after]] of Object.entries(honest))
    test(`${name} passes`, async () => {
      expect(await rewrite(before, after, 'src/a.test.tsx')).toEqual(['passed'])
    })

  test('a test that moved to another file passes', async () => {
    expect(said(await judge({ 'src/a.test.ts': whole }, { 'test/b.test.ts': whole }))).toEqual(['passed'])
  })

  test('a deleted file of tests is found', async () => {
    expect(said(await judge({ 'src/a.test.ts': whole, 'src/a.ts': '' }, { 'src/a.ts': '' }))).toEqual(['test-removed'])
  })

  test('tests moved to where no runner looks are found', async () => {
    expect(said(await judge({ 'src/a.test.ts': whole }, { 'src/a.ts': whole }))).toEqual(['test-removed'])
  })

  test('a symlink in the place of a test is found', async () => {
    const verdict = await judgeChange(contracts, {
      base: { 'src/a.test.ts': whole },
      tree: { 'src/a.test.ts': { link: 'b.ts' } },
    })
    expect(said(verdict)).toEqual(['test-removed'])
  })

  const importing = (paths: readonly string[], body: string) =>
    `import { test, expect } from 'vitest'\n${paths.map((path) => `import '${path}'`).join('\n')}\n${body}`
  const many = (count: number) => Array.from({ length: count }, (_, index) => `./h${index}`)

  test('a helper emptied is found behind any number of imports that lead nowhere', async () => {
    const rest = (more: string) =>
      importing(many(100), `import { check } from './help.ts'\ntest('sums', () => { check() })\n${more}`)
    const help = (body: string) => `import { expect } from 'vitest'\nexport function check() { ${body} }`
    const verdict = await judge(
      { 'src/a.test.ts': rest(''), 'src/help.ts': help('expect(sum(1, 2)).toBe(3)') },
      { 'src/a.test.ts': rest('// touched'), 'src/help.ts': help('') },
    )
    expect(said(verdict)).not.toEqual(['passed'])
    expect(verdict.kind).toBe('failed')
  })

  test('more imported files than are compared are unavailable', async () => {
    const files = Object.fromEntries(many(mostHelpers + 1).map((path) => [`src/${path.slice(2)}.ts`, '']))
    const text = (more: string) => importing(many(mostHelpers + 1), `test('a', () => { expect(1).toBe(x) })${more}`)
    await expect(
      judge({ ...files, 'src/a.test.ts': text('') }, { ...files, 'src/a.test.ts': text('\n// touched') }),
    ).rejects.toMatchObject({ code: 'report-unusable' })
  })

  test('assertions moved into a helper that is imported pass', async () => {
    const helper = `export function expectSums() { expect(sum(1, 2)).toBe(3); expect(sum(0, 0)).toBe(0) }`
    const tree = {
      'src/a.test.ts': `import { expectSums } from './help.js'\ntest('sums', () => { expectSums() })`,
      'src/help.ts': helper,
    }
    expect(said(await judge({ 'src/a.test.ts': whole }, tree))).toEqual(['passed'])
  })

  test('findings carry the line of the test', async () => {
    expect(await rewrite(whole, whole.replace('test(', 'test.skip('))).toEqual(['test-skipped src/a.test.ts:2'])
  })
})

describe('tests in a language that is not parsed', () => {
  const python = 'def test_sum():\n    assert sum(1, 2) == 3\n    assert sum(0, 0) == 0\n'
  const cases: Record<string, [after: Record<string, string>, rules: string[]]> = {
    'an assertion removed is found': [{ 'tests/test_a.py': python.replace(/.*0, 0.*\n/, '') }, ['assertions-removed']],
    'an assertion commented out is found': [
      { 'tests/test_a.py': python.replace('    assert sum(0', '    # assert sum(0') },
      ['assertions-removed'],
    ],
    'a skipped test is found': [
      { 'tests/test_a.py': `@pytest.mark.skip\n${python}` },
      ['test-skipped tests/test_a.py:1'],
    ],
    'a deleted file is found': [{}, ['test-removed', 'assertions-removed']],
    'a moved file passes': [{ 'tests/unit/test_a.py': python }, ['passed']],
    'an added test passes': [{ 'tests/test_a.py': `${python}\ndef test_b():\n    assert b() == 1\n` }, ['passed']],
  }
  for (const [name, [after, rules]] of Object.entries(cases))
    test(`${name}`, async () => {
      const found = said(await judge({ 'tests/test_a.py': python, x: '' }, { ...after, x: '' }))
      expect(found.map((one) => (rules.includes(one) ? one : one.split(' ')[0]))).toEqual(rules)
    })
})

describe('what the cache key is made of', () => {
  const readsOf = async (base: Record<string, string>, tree: Record<string, string>) =>
    contracts.reads(await judgedChange(contracts, { base, tree, settings }))

  test('is the same for changes that touch no test', async () => {
    expect(await readsOf({ a: '1' }, { a: '2' })).toEqual(await readsOf({ a: '1' }, { a: '3' }))
  })
  test('is another one when a contract changed', async () => {
    expect(await readsOf({ 'api.yaml': '1' }, { 'api.yaml': '2' })).not.toEqual(
      await readsOf({ 'api.yaml': '1' }, { 'api.yaml': '3' }),
    )
  })
})

test('reading tests never throws, whatever the text', async () => {
  const word = fc.constantFrom(
    'test',
    '(',
    ')',
    '{',
    '}',
    '.skip',
    '.each',
    '[',
    ']',
    '`',
    "'a'",
    '=>',
    'expect',
    'try',
    'catch',
    ',',
    '\n',
    '...',
    'async',
    ';',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(word, fc.string()), { maxLength: 40 }), async (words) => {
      const file = await withSyntax('a.test.ts', words.join(' '), (root) => extractTests('a.test.ts', root))
      expect(file?.path).toBe('a.test.ts')
    }),
    { numRuns: 300 },
  )
})

test('a file compared with itself is never weaker', async () => {
  const statement = fc.constantFrom(
    'expect(f()).toBe(1)',
    'assert.ok(x)',
    'assert.ok(true)',
    'g()',
    't.skip()',
    'return',
    'h(() => { expect(1).toBe(2) })',
  )
  const testCase = fc
    .tuple(
      fc.constantFrom('test', 'test.skip', 'it.only', 'test.each([1, 2])'),
      fc.constantFrom('a', 'b'),
      fc.array(statement),
    )
    .map(([how, name, body]) => `${how}('${name}', (t) => { ${body.join('; ')} })`)
  await fc.assert(
    fc.asyncProperty(fc.array(testCase, { maxLength: 6 }), fc.nat(9), async (cases, extra) => {
      const text = cases.join('\n')
      // Another file changes, so that this one is read again.
      expect(await rewrite(text, `${text}\n// ${extra}`)).toEqual(['passed'])
    }),
    { numRuns: 100 },
  )
})
