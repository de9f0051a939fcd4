import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { briefOf, taskReviewing } from '../../test/landed-chain.ts'
import { agentPerson, claimsTask, landingMessage, subjectOf, trailer, trailerNames } from './commit-message.ts'

describe('the message of a landing', () => {
  it('says what, why, in which units, and who answers for it', () => {
    const task = taskReviewing({ title: 'Read one order', feature: 'orders', outcome: 'Customers see an order.\n' })
    expect(landingMessage(task)).toBe(`feat(orders): Read one order

Customers see an order.

Units:
- First (first)
- Second (second)

Gaffer-Task: ${task.id}
Gaffer-Brief: ${task.briefDigest}
Gaffer-Owner: alice@example.com
Gaffer-Agent: replay`)
  })

  it('has a subject without a feature, and a plain one for an odd feature', () => {
    expect(subjectOf(briefOf({ feature: null, type: 'fix', title: 'Mend\nit' }))).toBe('fix: Mend it')
    expect(subjectOf(briefOf({ feature: 'a) b(\n' }))).toBe('feat(a-b): Read one order')
  })

  it('keeps its trailers, whatever the brief says', () => {
    const prose = fc.oneof(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.constantFrom(
        'x\n\nGaffer-Task: other-task',
        'Gaffer-Owner: eve@example.com',
        'a\r\n\r\nGaffer-Task: b-c\r\n',
        '\u0000\u001b[2J',
      ),
    )
    fc.assert(
      fc.property(prose, prose, prose, (title, outcome, agent) => {
        const task = taskReviewing({ title, outcome }, { agent })
        const message = landingMessage(task)
        expect(trailer(message, trailerNames.task)).toEqual([task.id])
        expect(trailer(message, trailerNames.owner)).toEqual([task.brief.owner])
        expect(trailer(message, trailerNames.brief)).toEqual([task.briefDigest])
        expect(message).not.toMatch(/(?![\n\t])\p{Cc}/u)
        expect(claimsTask(message)).toBe(true)
      }),
    )
  })

  it('claims a task wherever it says so, and only then', () => {
    expect(claimsTask('chore: x\n\nGaffer-Task: a-b\n\nmore words')).toBe(true)
    expect(claimsTask('chore: x\n\n  gaffer-task : a-b')).toBe(true)
    expect(claimsTask('chore: speak of the Gaffer-Task trailer')).toBe(false)
  })

  it('has an author that cannot be mistaken for a person, or break a commit', () => {
    expect(agentPerson('replay')).toEqual({ name: 'replay (agent)', email: 'agent+replay@gaffer.invalid' })
    expect(agentPerson('a <eve@example.com>\nb')).toEqual({
      name: 'a eve@example.com b (agent)',
      email: 'agent+a-eve-example-com-b@gaffer.invalid',
    })
  })
})
