import { Hono } from 'hono'
import { commandSchema, type CommandBody } from '../contract/commands.ts'
import { person } from '../domain/actor.ts'
import { commitSha, email, unitId, type TaskId } from '../domain/ids.ts'
import type { Gaffer, Outcome } from '../workflows/gaffer.ts'
import { presentTask } from './present-task.ts'
import { refused } from './problems.ts'
import { readBody } from './read-request.ts'
import { knownTask } from './task-routes.ts'

/** What people want of a task. Answers with the task as it stands afterwards. */
export function commandRoutes(gaffer: Gaffer): Hono {
  const app = new Hono()
  app.post('/tasks/:id/commands', async (c) => {
    const command = await readBody(c, commandSchema)
    const { row } = await knownTask(gaffer, c)
    const outcome = await apply(gaffer, row.id, command)
    if (outcome.kind === 'refused') throw refused(outcome)
    return c.json(presentTask(await knownTask(gaffer, c)))
  })
  return app
}

function apply(gaffer: Gaffer, id: TaskId, command: CommandBody): Promise<Outcome> {
  const actor = person(email(command.actor))
  switch (command.type) {
    case 'approve-plan':
      return gaffer.approvePlan(id, actor)
    case 'send-plan-back':
      return gaffer.sendPlanBack(id, command.note, actor)
    case 'accept-unit':
      return gaffer.acceptUnit(id, command.unit === null ? null : unitId(command.unit), actor)
    case 'request-changes':
      return gaffer.requestChanges(id, unitId(command.unit), command.reason, actor)
    case 'sign':
      return gaffer.sign(id, { candidate: commitSha(command.candidate), armoured: command.armoured }, actor)
    case 'answer':
      return gaffer.answer(id, command.text, actor)
    case 'land':
      return gaffer.land(id, actor)
    case 'abandon':
      return gaffer.abandon(id, command.because, actor)
  }
}
