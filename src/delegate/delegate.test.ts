import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { aBrief, aDelivery, aFinding, aPlan } from '../../test/tasks.ts'
import { taskId, unitId } from '../domain/ids.ts'
import { settingsSchema } from '../domain/settings.ts'
import { proposePlan } from './plan/propose-plan.ts'
import { planText } from './plan/plan-text.ts'
import { findingsPrompt, planPrompt, sayFindings, type PlanRequest } from './prompts.ts'
import { readAnswer } from './read-answer.ts'

const settings = settingsSchema.parse({
  version: 1,
  gates: { tests: { run: 'npm test' } },
  contracts: ['test/contract/**'],
})
const task = taskId('orders-fetched-7k2')
const request: PlanRequest = { task, brief: aBrief(), settings, files: ['src/a.ts'], notes: [] }
const fenced = (value: unknown): string => `Here it is.\n\`\`\`json\n${JSON.stringify(value)}\n\`\`\`\n`

const asking = (...answers: readonly string[]) => {
  const asked: string[] = []
  const ask = (prompt: string): Promise<string> => {
    asked.push(prompt)
    return Promise.resolve(answers[asked.length - 1] ?? '')
  }
  return { asked, ask }
}

describe('proposing a plan', () => {
  test('takes the first answer that is a plan', async () => {
    const { ask, asked } = asking(fenced(aPlan('store', 'route')))
    expect(await proposePlan(request, ask)).toMatchObject({
      from: 'agent',
      plan: { units: [{ id: 'store' }, { id: 'route' }] },
    })
    expect(asked).toHaveLength(1)
  })

  test('asks once more and says what was wrong', async () => {
    const { ask, asked } = asking('I would start with the store.', fenced(aPlan('store')))
    expect(await proposePlan(request, ask)).toMatchObject({
      from: 'agent-repaired',
      problem: expect.stringContaining('no JSON'),
    })
    expect(asked[1]).toContain('could not be read as a plan')
  })

  test('makes do with one unit when there is no plan to be had', async () => {
    const { ask } = asking('no', 'no')
    const { from, plan } = await proposePlan(request, ask)
    expect(from).toBe('brief')
    expect(plan.units).toMatchObject([{ acceptance: ['A1'] }])
  })

  test('does not take a plan that delivers what nobody asked for', async () => {
    const stray = { ...aPlan('store'), units: aPlan('store').units.map((unit) => ({ ...unit, acceptance: ['A9'] })) }
    expect(await proposePlan(request, asking(fenced(stray), fenced(stray)).ask)).toMatchObject({
      from: 'brief',
      problem: expect.stringContaining('A9'),
    })
  })
})

describe('prompts', () => {
  test('begin with one line that says what they are', () => {
    expect(planPrompt(request).split('\n')[0]).toBe('[gaffer] task=orders-fetched-7k2 stage=plan round=1')
    expect(findingsPrompt(task, unitId('store'), 2, [aFinding()]).split('\n')[0]).toBe(
      '[gaffer] task=orders-fetched-7k2 stage=build unit=store round=2',
    )
  })

  test('name the contracts and every gate, the standing ones included', () => {
    expect(planPrompt(request)).toContain('test/contract/**')
    expect(planPrompt(request)).toContain('contracts, scope, secrets, tests')
  })

  test('say at most so many findings, and how many more there are', () => {
    const many = Array.from({ length: 100 }, (_, index) => aFinding({ message: `number ${index}` }))
    expect(sayFindings(many)).toContain('and 60 more')
  })
})

describe('reading an answer', () => {
  const schema = z.strictObject({ why: z.string() })
  test('finds the value wherever it stands', () => {
    for (const said of [
      fenced({ why: 'a' }),
      '{"why":"a"}',
      'so: {"why":"a"} and that is all',
      `\`\`\`\nnot json\n\`\`\`\n${fenced({ why: 'a' })}`,
    ])
      expect(readAnswer(said, schema)).toEqual({ kind: 'read', value: { why: 'a' } })
  })

  test('never throws, whatever is said', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.constantFrom('```', '\n', '{', '}', '"why":', 'json')).map((parts) => parts.join('')),
        ),
        (said) => {
          expect(['read', 'unreadable']).toContain(readAnswer(said, schema).kind)
        },
      ),
    )
  })
})

test('PLAN.md says which unit delivers which promise, and what no test shows', () => {
  const [draft] = aDelivery()
  expect(draft?.type).toBe('draft')
  const brief = aBrief({
    acceptance: [
      { id: 'A1', text: 'answers 404', line: 1, test: null },
      { id: 'A2', text: 'answers 503', line: 2, test: 'x' },
    ],
  })
  const text = planText(brief, aPlan('store'), [])
  expect(text).toContain('- **A1** answers 404 (store; no test: undefined behaviour)')
  expect(text).toContain('- **A2** answers 503 (in no unit; test: x)')
})
