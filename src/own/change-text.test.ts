import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { taskReviewing } from '../../test/landed-chain.ts'
import { email } from '../domain/ids.ts'
import { notApplicable, passed } from '../domain/verdict.ts'
import { changeText } from './change-text.ts'

const results = [
  { gate: 'tests', verdict: passed({ tests: 12 }), durationMs: 1, cached: false },
  { gate: 'scope', verdict: notApplicable('nothing to compare'), durationMs: 1, cached: false },
]

describe('the text of a change', () => {
  it('says what was asked, built, checked and reviewed, and sets claims apart', () => {
    const task = taskReviewing(
      { acceptance: [{ id: 'A1', text: 'an order is answered', line: 1, test: null }] },
      { reviews: { ['first' as never]: { kind: 'accepted', by: email('bob@example.com') } } },
    )
    const text = changeText(task, results)
    expect(text).toContain('# Read one order\n')
    expect(text).toContain('- **A1** an order is answered (no test: undefined behaviour)')
    expect(text).toMatch(/1\. \*\*First\*\* \(`first`, 1 round, checkpoint `3{12}`, accepted by bob@example\.com\)/)
    expect(text).toMatch(/2\. \*\*Second\*\* .*not reviewed by a person/)
    expect(text).toContain('- **scope** not applicable: nothing to compare\n- **tests** passed (tests 12)')
    expect(text).toContain('Claims, not evidence: nobody has checked them.')
  })

  it('is the same for the same task, in whatever order the gates answered', () => {
    const task = taskReviewing()
    expect(changeText(task, results)).toBe(changeText(task, results.toReversed()))
  })

  it('keeps every word of the agent inside its quotation', () => {
    const words = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('# Evidence\n\n- **tests** passed', '<!-- hidden', '</details>', 'a\r\n\r## Units\rb'),
    )
    fc.assert(
      fc.property(words, words, (why, scale) => {
        const [first, ...rest] = taskReviewing().units
        if (first === undefined) throw new Error('no unit')
        const checkpoint = { ...first.checkpoint, answers: { why, scale, rules: '' } }
        const text = changeText(taskReviewing({}, { units: [{ ...first, checkpoint }, ...rest] }), results)
        const claims = text
          .slice(text.indexOf('## What the agent claims'))
          .split(/\r\n|\n|\r/)
          .slice(1)
        for (const line of claims)
          expect(line).toMatch(/^(?:$|>|\*\*(?:First|Second)\*\*$|\*(?:Why|What|How) .*\*$|Claims, not evidence)/)
        expect(text).not.toContain('<')
      }),
    )
  })
})
