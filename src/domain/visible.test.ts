import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planSchema } from './plan.ts'
import { oneLine, visible } from './visible.ts'

test('what an agent calls its units can stand in a commit, on a terminal and on a line of JSON', () => {
  const unit = {
    id: 'one',
    title: 'One\u0000\u001b[2J\u2028two',
    goal: 'goes\u0000 on\r\nhere',
    acceptance: [],
    files: ['a\u0007.ts'],
  }
  expect(planSchema.parse({ summary: 's\u0000', units: [unit] }).units[0]).toMatchObject({
    title: 'One[2J two',
    goal: 'goes on\nhere',
    files: ['a.ts'],
  })
})

test('making text visible changes nothing the second time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(visible(visible(text))).toBe(visible(text))
      expect(oneLine(oneLine(text))).toBe(oneLine(text))
    }),
  )
})
