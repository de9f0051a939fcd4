import type { CommandBody } from '../../contract/commands.ts'
import { routes } from '../../contract/routes.ts'
import { taskDetailSchema, type TaskDetail } from '../../contract/task-detail.ts'
import type { Answer } from '../answer.ts'
import { connect } from '../client/connect.ts'
import type { Context } from '../context.ts'
import { indent, plural, wrapped } from '../render/layout.ts'
import { oneLine, printable } from '../render/printable.ts'
import { showNext } from '../render/show-task.ts'
import { usage } from '../stop.ts'
import { carriedOut, sendCommand } from './send-command.ts'

export interface PlanOptions {
  readonly approve?: boolean
  readonly revise?: string
}

/** `gaffer plan TASK [--approve | --revise TEXT]` */
export async function plan(context: Context, task: string, { approve = false, revise }: PlanOptions): Promise<Answer> {
  if (approve && revise !== undefined)
    throw usage('the plan was not touched', '`--approve` and `--revise` say opposite things', 'give one of them')
  const client = await connect(context.data)
  if (!approve && revise === undefined) {
    const detail = await client.get(routes.task(task), taskDetailSchema)
    return { data: { task: detail.row.id, plan: detail.plan, units: detail.units }, text: showPlan(detail, context) }
  }
  const actor = await context.person()
  const command: CommandBody =
    revise === undefined ? { type: 'approve-plan', actor } : { type: 'send-plan-back', actor, note: revise }
  const after = await sendCommand(client, task, command)
  const did = revise === undefined ? `approved the plan of ${task}` : `sent the plan of ${task} back`
  return carriedOut(did, after)
}

function showPlan(task: TaskDetail, { paint }: Context): string[] {
  if (task.plan === null) return [`${task.row.id} has no plan yet`, ...showNext(task)]
  const units = task.units.flatMap((unit, index) => [
    '',
    `${index + 1}  ${paint.strong(unit.id)}  ${oneLine(unit.title)}`,
    ...indent(wrapped(printable(unit.goal)), 3),
    ...indent(unit.acceptance.length === 0 ? [] : [paint.soft(`delivers ${unit.acceptance.join(', ')}`)], 3),
    ...indent(
      unit.files.length === 0 ? [] : [paint.soft(`expects to change ${unit.files.map(oneLine).join(', ')}`)],
      3,
    ),
  ])
  const acceptance = task.brief.acceptance.map(({ id, text }) => `${id}  ${oneLine(text)}`)
  return [
    `${paint.strong(task.row.id)}  ${oneLine(task.row.title)}`,
    '',
    ...wrapped(printable(task.plan.summary)),
    '',
    'asked for',
    ...indent(acceptance),
    '',
    plural(task.units.length, 'unit'),
    ...units.slice(1),
    '',
    ...showNext(task),
  ]
}
