import { Hono } from 'hono'
import {
  delegateRequestSchema,
  idempotencyKeySchema,
  type DelegatedOnTheWire,
  type Unconfined,
} from '../contract/delegate.ts'
import { afterQuerySchema, patchQuerySchema, type EventOnTheWire, type Transcript } from '../contract/events.ts'
import { problemTypes } from '../contract/problem.ts'
import { taskListQuerySchema } from '../contract/task-list.ts'
import { person } from '../domain/actor.ts'
import { email, unitId } from '../domain/ids.ts'
import { workOf } from '../domain/task/task.ts'
import type { Gaffer, TaskView } from '../workflows/gaffer.ts'
import { presentEvent, writable } from './present-event.ts'
import { presentRow, presentTask } from './present-task.ts'
import { badRequest, notFound, refused, Stopped } from './problems.ts'
import { readBody, readQuery, readTaskId } from './read-request.ts'
import type { Context } from 'hono'

/** Opening tasks and looking at them. `unconfined`: nothing confines agents here, said to whoever opens a task. */
export function taskRoutes(gaffer: Gaffer, unconfined: Unconfined | null): Hono {
  const app = new Hono()

  app.get('/tasks', async (c) => {
    const { state, after, limit } = readQuery(c, taskListQuerySchema)
    const page = await gaffer.tasks({ state: state ?? null, after: after ?? null, limit })
    return c.json({ rows: page.rows.map(presentRow), next: page.next, counts: page.counts })
  })

  app.post('/tasks', async (c) => {
    const key = idempotencyKeySchema.safeParse(c.req.header('idempotency-key'))
    if (!key.success) throw badRequest('Idempotency-Key header', key.error)
    const { brief, hub, agent, owner, actor } = await readBody(c, delegateRequestSchema)
    const delegated = await gaffer.delegate({
      brief,
      hub,
      agent,
      owner: owner === null ? null : email(owner),
      actor: person(email(actor)),
      key: key.data,
    })
    if (delegated.kind === 'refused') throw refused(delegated)
    const problems = [...delegated.problems]
    if (delegated.kind === 'brief-refused')
      throw new Stopped({
        type: problemTypes.briefRefused,
        title: 'the brief is not ready: nothing was opened',
        detail: problems.map(({ message, line }) => (line === null ? message : `line ${line}: ${message}`)).join('; '),
        todo: 'mend the errors, and check it with `gaffer brief check FILE`',
        status: 422,
        retryable: false,
        problems,
      })
    return c.json({ task: delegated.task, problems, unconfined } satisfies DelegatedOnTheWire, 201)
  })

  app.get('/tasks/:id', async (c) => c.json(presentTask(await knownTask(gaffer, c))))

  app.get('/tasks/:id/events', async (c) => {
    const { after } = readQuery(c, afterQuerySchema)
    const view = await knownTask(gaffer, c)
    const stored = await gaffer.log(view.row.id)
    const events: EventOnTheWire[] = stored.filter(({ position }) => position > (after ?? -1)).map(presentEvent)
    return c.json({ events })
  })

  app.get('/tasks/:id/sessions', async (c) => {
    const view = await knownTask(gaffer, c)
    return c.json({ sessions: await gaffer.sessions(view.row.id) })
  })

  app.get('/sessions/:name', async (c) => {
    const name = c.req.param('name')
    // Other streams of the store are no sessions, whatever the Gaffer behind this would give out.
    const stored = name.startsWith('session/') ? await gaffer.transcript(name) : []
    if (stored.length === 0) throw notFound(`session ${name.slice(0, 120)}`, 'list them with `gaffer log TASK`')
    const entries = stored.map(({ at, event }) => ({ at, entry: writable(event) }))
    return c.json({ session: name, entries } satisfies Transcript)
  })

  app.get('/tasks/:id/patch', async (c) => {
    const { unit } = readQuery(c, patchQuerySchema)
    const { task, row } = await knownTask(gaffer, c)
    const work = workOf(task)
    if (unit !== undefined && !('units' in work && work.units.some((progress) => progress.unit.id === unit)))
      throw notFound(`unit ${unit} in ${row.id}`, `see its units: \`gaffer plan ${row.id}\``)
    const patch = await gaffer.patch(row.id, unit === undefined ? null : unitId(unit))
    if (patch === undefined)
      throw notFound(`change of ${unit ?? row.id} yet`, `see how far it is: \`gaffer status ${row.id}\``)
    return c.body(patch, 200, { 'Content-Type': 'text/x-diff; charset=utf-8' })
  })

  app.get('/tasks/:id/statement', async (c) => {
    const { task, row } = await knownTask(gaffer, c)
    const work = workOf(task)
    if (!('candidate' in work) || work.candidate === null)
      throw notFound(`statement to sign for ${row.id} yet`, `see what it waits for: \`gaffer status ${row.id}\``)
    return c.body(new TextEncoder().encode(work.candidate.statement), 200, {
      'Content-Type': 'application/vnd.in-toto+json',
      'X-Gaffer-Candidate': work.candidate.commit,
    })
  })

  return app
}

/** @throws Stopped 404 */
export async function knownTask(gaffer: Gaffer, c: Context): Promise<TaskView> {
  const id = readTaskId(c)
  const view = await gaffer.task(id)
  if (view === undefined) throw notFound(`task ${id}`)
  return view
}
