import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJUnit } from './junit.ts'

const node = `<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testsuite name="orders" disabled="0" errors="0" tests="3" failures="2" skipped="2">
		<testcase name="gets &lt;one>" classname="orders" file="/room/test/a.test.mjs"/>
		<testcase name="fails" classname="orders" file="/room/test/a.test.mjs" failure="no&#10;">
			<failure type="testCodeFailure" message="1 !== 2">at file:///room/test/a.test.mjs:3:93</failure>
		</testcase>
		<testcase name="maybe" classname="orders" file="/room/test/a.test.mjs">
			<skipped type="todo" message="true"/>
			<failure type="testCodeFailure" message="1 !== 2">at x</failure>
		</testcase>
		<testsuite name="inner" tests="1" failures="0"><testcase name="x" file="/room/test/a.test.mjs" line="7"/></testsuite>
	</testsuite>
	<!-- tests 4 -->
</testsuites>`
const vitest = `<?xml version="1.0" encoding="UTF-8" ?>
<testsuites name="vitest tests" tests="2" failures="1" errors="0">
  <testsuite name="v/b.test.ts" tests="2" failures="1" errors="0" skipped="1">
    <testcase classname="v/b.test.ts" name="orders &gt; fails"><failure message="no">❯ v/b.test.ts:2:96</failure></testcase>
    <testcase classname="v/b.test.ts" name="orders &gt; later"><skipped/></testcase>
  </testsuite>
</testsuites>`

describe('JUnit XML', () => {
  test('of the runner of Node is read, a failing todo as skipped', () => {
    expect(parseJUnit(node)).toMatchObject({
      unlistedFailures: 0,
      cases: [
        { name: 'gets <one>', suites: ['orders'], outcome: 'passed', file: '/room/test/a.test.mjs' },
        { name: 'fails', outcome: 'failed', message: '1 !== 2\nat file:///room/test/a.test.mjs:3:93' },
        { name: 'maybe', outcome: 'skipped' },
        { name: 'x', suites: ['orders', 'inner'], line: 7 },
      ],
    })
  })

  test('of vitest is read, the file from its suite', () => {
    expect(parseJUnit(vitest)?.cases).toMatchObject([
      { name: 'orders > fails', outcome: 'failed', file: 'v/b.test.ts' },
      { name: 'orders > later', outcome: 'skipped' },
    ])
  })

  test('with one suite and no suites around it is read', () => {
    const xml = `<testsuite name="s" errors="1"><testcase name="a"><error>boom</error></testcase></testsuite>`
    expect(parseJUnit(xml)?.cases).toMatchObject([{ suites: ['s'], outcome: 'failed', message: 'boom' }])
  })

  test('that counts more failures than it lists says so', () => {
    const xml = vitest.replaceAll('failures="1"', 'failures="3"')
    expect(parseJUnit(xml)?.unlistedFailures).toBe(2)
  })

  test('with no test in it is whole and empty', () => {
    expect(parseJUnit('<testsuites></testsuites>')).toEqual({ cases: [], unlistedFailures: 0 })
    expect(parseJUnit('<testsuites/>')).toEqual({ cases: [], unlistedFailures: 0 })
    expect(parseJUnit('<testsuites><testsuite/></testsuites>')?.cases).toEqual([])
  })

  const unreadable = {
    'that was cut': vitest.slice(0, -30),
    'of another kind': '<html><body/></html>',
    'that is text': 'all tests passed',
    'with a document type': `<!DOCTYPE x [<!ENTITY a "b">]>${vitest.slice(vitest.indexOf('<testsuites'))}`,
  }
  for (const [name, xml] of Object.entries(unreadable))
    test(`${name} cannot be read`, () => expect(parseJUnit(xml)).toBeUndefined())

  test('cut at any place before its end cannot be read', () => {
    const whole = vitest.trimEnd()
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (at) => {
        expect(parseJUnit(whole.slice(0, at))).toBeUndefined()
      }),
    )
  })

  test('never throws and never makes up tests, whatever the text', () => {
    const word = fc.constantFrom(
      '<testsuites>',
      '</testsuites>',
      '<testcase name="a"/>',
      '<testsuite>',
      '</testsuite>',
      '<failure/>',
      '&',
      '<',
      '"',
      '<![CDATA[',
      ']]>',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string())), (words) => {
        const xml = words.join('')
        const cases = parseJUnit(xml)?.cases.length ?? 0
        expect(cases).toBeLessThanOrEqual(xml.split('<testcase').length - 1)
      }),
      { numRuns: 500 },
    )
  })

  test('reads back what was written', () => {
    const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
    const name = fc.stringMatching(/^[\w <>"&'/.:-]{1,20}$/).filter((text) => text.trim() === text)
    const outcome = fc.constantFrom('passed', 'failed', 'skipped')
    fc.assert(
      fc.property(fc.array(fc.tuple(name, outcome)), (cases) => {
        const body = { passed: '', failed: '<failure>no</failure>', skipped: '<skipped/>' }
        const xml = cases.map(
          ([title, how]) => `<testcase name="${escape(title)}">${body[how as keyof typeof body]}</testcase>`,
        )
        const read = parseJUnit(`<testsuites><testsuite name="s">${xml.join('')}</testsuite></testsuites>`)
        expect(read?.cases.map((one) => [one.name, one.outcome])).toEqual(cases)
      }),
    )
  })
})
