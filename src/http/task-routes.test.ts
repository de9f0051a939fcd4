import { describe, expect, it } from 'vitest'
import { appUnderTest } from '../../test/fakes/served-app.ts'
import { exampleBrief, maria } from '../../test/fakes/memory-gaffer.ts'
import { delegatedSchema } from '../contract/delegate.ts'
import { eventListSchema, transcriptSchema } from '../contract/events.ts'
import { problemSchema } from '../contract/problem.ts'
import { taskDetailSchema } from '../contract/task-detail.ts'
import { taskPageSchema } from '../contract/task-list.ts'
import { Fault } from '../domain/fault.ts'

const request = (brief = exampleBrief()) => ({ brief, hub: '/srv/orders', actor: 'maria@example.com' })
const key = { 'idempotency-key': 'key-0001' }

describe('delegating', () => {
  it('opens a task and tells what is weak in its brief', async () => {
    const { ask, gaffer } = appUnderTest()
    const brief = exampleBrief().replace(' (test: test/orders.test.ts)', '')
    const answer = await ask('/api/tasks', { method: 'POST', body: request(brief), headers: key })
    expect(answer.status).toBe(201)
    const { task, problems } = delegatedSchema.parse(await answer.json())
    expect(problems.map(({ level }) => level)).toContain('warning')
    expect((await gaffer.tasks({ state: null, after: null, limit: 9 })).rows.map(({ id }) => id)).toEqual([task])
  })

  it('opens one task for one key, however often it is sent', async () => {
    const { ask, gaffer } = appUnderTest()
    const send = async () =>
      delegatedSchema.parse(await (await ask('/api/tasks', { method: 'POST', body: request(), headers: key })).json())
    const [first, second] = [await send(), await send()]
    expect(second.task).toBe(first.task)
    expect((await gaffer.tasks({ state: null, after: null, limit: 9 })).rows).toHaveLength(1)
  })

  it('wants a key, so that a repeated request is never a second task', async () => {
    const { ask } = appUnderTest()
    const answer = await ask('/api/tasks', { method: 'POST', body: request() })
    expect(answer.status).toBe(400)
    expect(problemSchema.parse(await answer.json()).detail).toContain('Idempotency-Key')
  })

  it('names every error of a brief that is not ready, with its line, and opens nothing', async () => {
    const { ask, gaffer } = appUnderTest()
    const brief = exampleBrief()
      .replace('owner: maria@example.com\n', '')
      .replace('## Outcome\n\nA customer can read an order.\n', '')
    const answer = await ask('/api/tasks', { method: 'POST', body: request(brief), headers: key })
    expect(answer.status).toBe(422)
    const problem = problemSchema.parse(await answer.json())
    expect(problem.type).toBe('urn:gaffer:brief-refused')
    expect(problem.problems?.length).toBeGreaterThan(1)
    expect((await gaffer.tasks({ state: null, after: null, limit: 9 })).rows).toEqual([])
  })

  it('passes on what a rule forbids: what, why and what to do', async () => {
    const { ask } = appUnderTest()
    const answer = await ask('/api/tasks', { method: 'POST', body: { ...request(), agent: 'unknown' }, headers: key })
    expect(answer.status).toBe(409)
    expect(problemSchema.parse(await answer.json())).toMatchObject({
      type: 'urn:gaffer:refused',
      detail: 'there is no agent unknown',
    })
  })

  it('refuses fields it does not know rather than ignoring them', async () => {
    const { ask } = appUnderTest()
    const answer = await ask('/api/tasks', {
      method: 'POST',
      body: { ...request(), onwer: 'x@example.com' },
      headers: key,
    })
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('onwer')
  })

  it('refuses a flood', async () => {
    const { ask } = appUnderTest()
    const answer = await ask('/api/tasks', { method: 'POST', body: request('x'.repeat(3_000_000)), headers: key })
    expect(answer.status).toBe(413)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
  })
})

describe('looking at tasks', () => {
  it('pages through all of them, each once, with true counts on every page', async () => {
    const { ask, open } = appUnderTest()
    const ids = new Set<string>()
    for (let number = 0; number < 7; number += 1) ids.add(await open(`Orders endpoint ${number}`))
    const seen: string[] = []
    let after = ''
    for (let page = 0; page < 4; page += 1) {
      const answer = taskPageSchema.parse(await (await ask(`/api/tasks?limit=3${after}`)).json())
      expect(answer.counts.drafted).toBe(7)
      seen.push(...answer.rows.map(({ id }) => id))
      if (answer.next === null) break
      after = `&after=${encodeURIComponent(answer.next)}`
    }
    expect(seen).toHaveLength(7)
    expect(new Set(seen)).toEqual(ids)
  })

  it('shows those of one state', async () => {
    const { ask, open, gaffer } = appUnderTest()
    await open()
    const id = await open('Another thing')
    await gaffer.abandon(id, 'not needed', maria)
    const { rows } = taskPageSchema.parse(await (await ask('/api/tasks?state=abandoned')).json())
    expect(rows.map((row) => row.id)).toEqual([id])
  })

  it.each(['limit=0', 'limit=201', 'limit=x', 'state=done', 'page=2'])('refuses the query %s', async (query) => {
    expect((await appUnderTest().ask(`/api/tasks?${query}`)).status).toBe(400)
  })

  it('shows a task with its units, the gates of each, the claims, and what comes next', async () => {
    const { ask, open, gaffer } = appUnderTest()
    const id = await open()
    await gaffer.move(id)
    const task = taskDetailSchema.parse(await (await ask(`/api/tasks/${id}`)).json())
    expect(task).toMatchObject({
      turn: 'person',
      next: { command: `gaffer review ${id}` },
      plan: { summary: 'Build it in small steps.' },
    })
    expect(task.units.map(({ status, review }) => [status, review.kind])).toEqual([
      ['checkpointed', 'waits'],
      ['checkpointed', 'waits'],
    ])
    expect(task.units[0]?.rounds.map(({ outcome }) => outcome)).toEqual(['failed', 'passed'])
    expect(task.units[0]?.checkpoint?.claims?.why).toBe('One query beside the others.')
  })

  it('shows a blocked task with the reason and what unblocks it', async () => {
    const { ask, open, gaffer } = appUnderTest()
    const id = await open()
    const reason = { kind: 'agent-asks', question: 'Which table?' } as const
    await gaffer.apply(id, {
      type: 'block',
      reason,
      unblocks: 'say which',
      actor: { kind: 'system', part: 'workflow' },
    })
    const task = taskDetailSchema.parse(await (await ask(`/api/tasks/${id}`)).json())
    expect(task.blocked).toEqual({ kind: 'agent-asks', says: ['the agent asks: Which table?'], unblocks: 'say which' })
    expect(task.next.command).toBe(`gaffer answer ${id}`)
  })

  it('lists the events with what each says, and goes on after a position', async () => {
    const { ask, open, gaffer } = appUnderTest()
    const id = await open()
    await gaffer.move(id)
    const all = eventListSchema.parse(await (await ask(`/api/tasks/${id}/events`)).json()).events
    const lines = all.flatMap((event) => event.lines)
    expect(lines).toContainEqual({
      mark: 'caught',
      subject: 'contracts',
      text: 'test/contract/orders.test.ts was changed: put it back',
      tone: 'caught',
    })
    const third = all[2]?.position ?? 0
    const rest = eventListSchema.parse(await (await ask(`/api/tasks/${id}/events?after=${third}`)).json()).events
    expect(rest).toEqual(all.slice(3))
  })

  it('gives the exact bytes to sign, once there are any', async () => {
    const { ask, open, gaffer } = appUnderTest()
    const id = await open('Größere Bestellung')
    await gaffer.move(id)
    expect((await ask(`/api/tasks/${id}/statement`)).status).toBe(404)
    await gaffer.acceptUnit(id, null, maria)
    await gaffer.move(id)
    const task = (await gaffer.task(id))?.task
    const statement = task?.state === 'reviewing' ? task.candidate?.statement : undefined
    expect(statement).toBeDefined()
    const answer = await ask(`/api/tasks/${id}/statement`)
    expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(statement ?? '', 'utf8'))).toBe(true)
  })

  it('gives the patch of a unit and of the whole, and says when there is none', async () => {
    const { ask, open, gaffer } = appUnderTest()
    const id = await open()
    expect((await ask(`/api/tasks/${id}/patch`)).status).toBe(404)
    await gaffer.move(id)
    expect(await (await ask(`/api/tasks/${id}/patch?unit=step-1`)).text()).toContain('src/step-1.ts')
    expect((await ask(`/api/tasks/${id}/patch?unit=step-9`)).status).toBe(404)
  })

  it('gives the record of a session by its name, slashes included', async () => {
    const { ask, open, gaffer } = appUnderTest()
    const id = await open()
    gaffer.transcripts.set(`session/${id}/plan`, [{ kind: 'said', text: 'hello' }])
    const { sessions } = (await (await ask(`/api/tasks/${id}/sessions`)).json()) as { sessions: string[] }
    const transcript = transcriptSchema.parse(
      await (await ask(`/api/sessions/${encodeURIComponent(sessions[0] ?? '')}`)).json(),
    )
    expect(transcript.entries.map(({ entry }) => entry)).toEqual([{ kind: 'said', text: 'hello' }])
    expect((await ask('/api/sessions/none')).status).toBe(404)
  })

  it('gives no other stream of the store as a session, slashes and escapes included', async () => {
    const { ask, open, gaffer } = appUnderTest()
    const id = await open()
    for (const name of [`task/${id}`, 'session', '/session/x', `Session/${id}/plan`]) {
      gaffer.transcripts.set(name, [{ kind: 'said', text: 'not for you' }])
      expect((await ask(`/api/sessions/${encodeURIComponent(name)}`)).status).toBe(404)
    }
  })

  it('says to whoever opens a task that nothing confines its agents', async () => {
    const todo = 'install bubblewrap'
    const key = { 'idempotency-key': 'a-key-of-its-own' }
    const bare = appUnderTest({ protection: { kind: 'unconfined', why: 'there is no bubblewrap', todo } })
    const answer = await bare.ask('/api/tasks', { method: 'POST', body: request(), headers: key })
    expect(delegatedSchema.parse(await answer.json()).unconfined).toEqual({ why: 'there is no bubblewrap', todo })
    const confined = await appUnderTest().ask('/api/tasks', { method: 'POST', body: request(), headers: key })
    expect(delegatedSchema.parse(await confined.json()).unconfined).toBeNull()
  })

  it.each(['orders-endpoint-7k2', 'x', '..%2f..%2fetc', '%00', 'A-B'])(
    'says that there is no task %s',
    async (name) => {
      const { ask } = appUnderTest()
      for (const rest of ['', '/events', '/stream', '/sessions', '/patch', '/statement']) {
        const answer = await ask(`/api/tasks/${name}${rest}`)
        expect(answer.status).toBe(404)
        expect(problemSchema.parse(await answer.json()).type).toBe('urn:gaffer:not-found')
      }
    },
  )
})

describe('what goes wrong', () => {
  it('passes a fault on with its hint, and whether trying again helps', async () => {
    const fault = new Fault('database-unavailable', 'Postgres does not answer', {
      hint: 'look at the log',
      retryable: true,
    })
    const { ask, bugs } = appUnderTest({ gaffer: { tasks: () => Promise.reject(fault) } })
    const answer = await ask('/api/tasks')
    expect(answer.status).toBe(503)
    expect(problemSchema.parse(await answer.json())).toMatchObject({
      type: 'urn:gaffer:fault:database-unavailable',
      title: 'Postgres does not answer',
      todo: 'look at the log',
      retryable: true,
    })
    expect(bugs).toEqual([])
  })

  it('keeps the words of a bug to itself and names where they are', async () => {
    const { ask, bugs } = appUnderTest({ gaffer: { tasks: () => Promise.reject(new Error('secret inner words')) } })
    const answer = await ask('/api/tasks')
    expect(answer.status).toBe(500)
    const text = await answer.text()
    expect(text).not.toContain('secret')
    expect(text).toMatch(/bug-[0-9a-f]{8}/)
    expect(bugs).toHaveLength(1)
  })

  it('answers an unknown address as a problem', async () => {
    const answer = await appUnderTest().ask('/api/nothing')
    expect(answer.status).toBe(404)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
  })
})
