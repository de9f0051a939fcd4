import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { appUnderTest } from '../../test/fakes/served-app.ts'
import { problemSchema } from '../contract/problem.ts'
import { taskDetailSchema, type TaskDetail } from '../contract/task-detail.ts'

const actor = 'maria@example.com'
const armoured = '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n'

async function under(options: Parameters<typeof appUnderTest>[0] = {}) {
  const made = appUnderTest({ moves: true, ...options })
  const id = await made.open()
  const send = (body: unknown): Promise<Response> => made.ask(`/api/tasks/${id}/commands`, { method: 'POST', body })
  const done = async (body: unknown): Promise<TaskDetail> => {
    const answer = await send(body)
    expect(answer.status).toBe(200)
    return taskDetailSchema.parse(await answer.json())
  }
  return { ...made, id, send, done }
}

describe('what a person wants of a task', () => {
  it('goes from the plan to the landing, command by command', async () => {
    const { done } = await under({ planApproval: true })
    expect((await done({ type: 'send-plan-back', actor, note: 'smaller steps' })).row.state).toBe('planned')
    expect((await done({ type: 'approve-plan', actor })).row.state).toBe('reviewing')
    const revised = await done({ type: 'request-changes', actor, unit: 'step-1', reason: 'name it better' })
    expect(revised.units.find(({ id }) => id === 'step-1')?.review).toEqual({
      kind: 'revised',
      by: actor,
      reason: 'name it better',
    })
    const accepted = await done({ type: 'accept-unit', actor, unit: null })
    expect(accepted.next.says).toContain('signs')
    const landed = await done({ type: 'sign', actor, candidate: accepted.candidate?.commit, armoured })
    expect(landed).toMatchObject({ row: { state: 'landed' }, turn: 'nobody', signedBy: actor })
  })

  it('passes on a refusal of the life of a task with its reason', async () => {
    const { send } = await under()
    const answer = await send({ type: 'approve-plan', actor })
    expect(answer.status).toBe(409)
    expect(problemSchema.parse(await answer.json()).detail).toContain('not planned')
  })

  it('lets nobody but the owner sign', async () => {
    const { done, send } = await under()
    const { candidate } = await done({ type: 'accept-unit', actor, unit: null })
    const answer = await send({ type: 'sign', actor: 'li@example.com', candidate: candidate?.commit, armoured })
    expect(answer.status).toBe(409)
    expect(problemSchema.parse(await answer.json()).detail).toContain('only the owner')
  })

  it.each([
    ['no reason', { type: 'request-changes', actor, unit: 'step-1', reason: '  ' }],
    ['no actor', { type: 'approve-plan' }],
    ['an actor that is no address', { type: 'approve-plan', actor: 'maria' }],
    ['a signature that is none', { type: 'sign', actor, candidate: 'a'.repeat(40), armoured: 'signed' }],
    ['a short commit id', { type: 'sign', actor, candidate: 'abc', armoured }],
    ['an unknown command', { type: 'land-now', actor }],
    ['a member too many', { type: 'land', actor, force: true }],
    ['no JSON', '{'],
  ])('refuses %s', async (_, body) => {
    const { send } = await under()
    const answer = await send(body)
    expect(answer.status).toBe(400)
    expect(problemSchema.parse(await answer.json()).problems?.length).toBeGreaterThan(0)
  })

  it('answers any body at all with a task or with a problem, and never with a bug', async () => {
    const { ask, id, bugs } = await under()
    const near = fc.record(
      {
        type: fc.constantFrom('approve-plan', 'accept-unit', 'sign', 'answer', 'land', 'request-changes', 'nothing'),
        actor: fc.oneof(fc.constant(actor), fc.string()),
        unit: fc.oneof(fc.constantFrom('step-1', 'step-9', null), fc.string()),
        reason: fc.string(),
        text: fc.oneof(fc.string(), fc.constant(null)),
        candidate: fc.oneof(fc.constant('a'.repeat(40)), fc.string()),
        armoured: fc.oneof(fc.constant(armoured), fc.string()),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(near, fc.jsonValue(), fc.string()), async (body) => {
        for (const path of [`/api/tasks/${id}/commands`, '/api/tasks']) {
          const answer = await ask(path, { method: 'POST', body, headers: { 'idempotency-key': 'fuzz-key-1' } })
          expect([200, 400, 409, 422]).toContain(answer.status)
          const said = answer.status === 200 ? taskDetailSchema : problemSchema
          said.parse(await answer.json())
        }
      }),
      { numRuns: 150 },
    )
    expect(bugs).toEqual([])
  })

  it('answers any path and query with a problem or a page, and never with a bug', async () => {
    const { ask, bugs } = await under()
    await fc.assert(
      fc.asyncProperty(fc.webPath(), fc.webQueryParameters(), async (path, query) => {
        const answer = await ask(`/api/tasks${path}?${query}`)
        expect(answer.status).toBeLessThan(500)
        await answer.body?.cancel()
      }),
      { numRuns: 150 },
    )
    expect(bugs).toEqual([])
  })
})
