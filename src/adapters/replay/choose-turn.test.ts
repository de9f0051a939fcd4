import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseTurn } from './choose-turn.ts'
import { headerTokens, whenOf } from './header.ts'
import type { ReplaySession } from './step.ts'

const token = fc
  .tuple(fc.constantFrom('stage', 'unit', 'round'), fc.constantFrom('a', 'b', 'ab'))
  .map(([key, value]) => `${key}=${value}`)
const turns = fc.array(
  fc
    .option(fc.array(token, { minLength: 1, maxLength: 3 }))
    .map((when) => ({ when: when?.join(' ') ?? null, steps: [] })),
)

test('the first turn whose tokens are all in the header is chosen, whatever was played before', () => {
  fc.assert(
    fc.property(turns, fc.array(token), fc.nat(5), (all, header, used) => {
      const session: ReplaySession = { model: 'm', turns: all }
      const { turn, used: after } = chooseTurn(session, `[gaffer] task=t-abc ${header.join(' ')}\nwork`, used)
      const matches = all.filter(({ when }) => when !== null && when.split(' ').every((each) => header.includes(each)))
      const unnamed = all.filter(({ when }) => when === null)
      expect(turn).toBe(matches[0] ?? unnamed[used])
      expect(after).toBe(matches.length === 0 && used < unnamed.length ? used + 1 : used)
    }),
  )
})

test('only the first line is a header, and only with its tag', () => {
  expect(headerTokens('[gaffer] a=b  c=d word\ne=f')).toEqual(['a=b', 'c=d'])
  expect(headerTokens('stage=build')).toEqual([])
  expect(headerTokens('hello\n[gaffer] a=b')).toEqual([])
})

test('a turn is remembered by everything in its header but the task', () => {
  expect(whenOf('[gaffer] task=t-abc stage=build unit=a round=1\nwork')).toBe('stage=build unit=a round=1')
  expect(whenOf('work')).toBeNull()
})
