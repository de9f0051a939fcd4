import type { CommandBody } from '../../contract/commands.ts'
import { routes } from '../../contract/routes.ts'
import { taskDetailSchema, type TaskDetail, type UnitOnTheWire } from '../../contract/task-detail.ts'
import type { Answer } from '../answer.ts'
import { connect, type Client } from '../client/connect.ts'
import type { Context } from '../context.ts'
import { plural } from '../render/layout.ts'
import { oneLine } from '../render/printable.ts'
import { riskOf } from '../review/risk.ts'
import { showUnit, type UnitUnderReview } from '../review/show-unit.ts'
import { showNext } from '../render/show-task.ts'
import { refusal, usage } from '../stop.ts'
import { carriedOut, sendCommand } from './send-command.ts'

export interface ReviewOptions {
  readonly accept?: boolean
  readonly requestChanges?: string
  readonly unit?: string
}

/** `gaffer review TASK [--accept [--unit U] | --request-changes TEXT --unit U]` */
export async function review(context: Context, task: string, options: ReviewOptions): Promise<Answer> {
  const { accept = false, requestChanges, unit } = options
  if (accept && requestChanges !== undefined)
    throw usage('nothing was reviewed', '`--accept` and `--request-changes` say opposite things', 'give one of them')
  if (requestChanges !== undefined && unit === undefined)
    throw usage('nothing was sent back', 'it is not said which unit has to change', 'name it: `--unit UNIT`')

  const client = await connect(context.data)
  if (!accept && requestChanges === undefined) return look(context, client, task, unit)

  const actor = await context.person()
  if (requestChanges !== undefined && unit !== undefined) {
    const command: CommandBody = { type: 'request-changes', actor, unit, reason: requestChanges }
    return carriedOut(`sent ${unit} of ${task} back`, await sendCommand(client, task, command))
  }
  const after = await sendCommand(client, task, { type: 'accept-unit', actor, unit: unit ?? null })
  return carriedOut(`accepted ${unit ?? 'every unit'} of ${task}`, after)
}

async function look(context: Context, client: Client, task: string, only: string | undefined): Promise<Answer> {
  const detail = await client.get(routes.task(task), taskDetailSchema)
  const chosen = detail.units.filter(
    (unit) => unit.status === 'checkpointed' && (only === undefined ? toLookAt(unit) : unit.id === only),
  )
  if (only !== undefined && chosen.length === 0)
    throw refusal(
      `${only} cannot be looked at`,
      `${task} has no checked unit of that name`,
      `see its units: \`gaffer status ${task}\``,
    )

  const units = await Promise.all(chosen.map((unit) => withPatch(client, task, unit)))
  const ordered = units.toSorted((a, b) => b.risk.weight - a.risk.weight)
  const data = {
    task: detail.row.id,
    waiting: ordered.filter(({ unit }) => unit.review.kind === 'waits').length,
    units: ordered.map(({ unit, patch, risk }) => ({
      ...unit,
      patch,
      added: risk.size.added,
      removed: risk.size.removed,
      lookClosely: risk.reasons,
    })),
  }
  return {
    data,
    text: [
      ...heading(detail, ordered, context),
      ...ordered.flatMap((each, at) => showUnit(each, at + 1, context.paint)),
      ...deciding(detail),
    ],
  }
}

const toLookAt = (unit: UnitOnTheWire): boolean => unit.review.kind !== 'revised' && unit.review.kind !== 'accepted'

async function withPatch(client: Client, task: string, unit: UnitOnTheWire): Promise<UnitUnderReview> {
  const bytes = await client.bytes(`${routes.patch(task)}?unit=${encodeURIComponent(unit.id)}`)
  const patch = new TextDecoder().decode(bytes)
  return { unit, patch, risk: riskOf(unit, patch) }
}

function heading(detail: TaskDetail, units: readonly UnitUnderReview[], { paint }: Context): string[] {
  const title = `${paint.strong(detail.row.id)}  ${oneLine(detail.row.title)}`
  return units.length === 0
    ? [title, '', 'no unit waits to be looked at', '']
    : [title, '', `${plural(units.length, 'unit')} to look at, riskiest and largest first`, '']
}

function deciding(detail: TaskDetail): string[] {
  const { id } = detail.row
  if (!detail.units.some((unit) => unit.review.kind === 'waits' && unit.status === 'checkpointed'))
    return showNext(detail)
  return [
    'next  accept what is right, send back what is not',
    `look  gaffer review ${id} --accept [--unit UNIT]`,
    `      gaffer review ${id} --unit UNIT --request-changes TEXT`,
  ]
}
