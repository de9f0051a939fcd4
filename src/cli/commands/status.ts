import { routes } from '../../contract/routes.ts'
import { taskDetailSchema } from '../../contract/task-detail.ts'
import { taskPageSchema, type TaskPageOnTheWire, type TaskRowOnTheWire } from '../../contract/task-list.ts'
import { states } from '../../contract/words.ts'
import type { Answer } from '../answer.ts'
import { connect } from '../client/connect.ts'
import type { Context } from '../context.ts'
import { columns, indent, plural } from '../render/layout.ts'
import { oneLine } from '../render/printable.ts'
import { showTask } from '../render/show-task.ts'
import type { Paint } from '../render/paint.ts'

export interface StatusOptions {
  readonly state?: string
  readonly after?: string
  readonly limit?: string
}

/** `gaffer status [TASK]` */
export async function status(context: Context, task: string | undefined, options: StatusOptions): Promise<Answer> {
  const client = await connect(context.data)
  if (task !== undefined) {
    const detail = await client.get(routes.task(task), taskDetailSchema)
    return { data: detail, text: showTask(detail, context.paint) }
  }
  const query = new URLSearchParams(Object.entries(options).filter(([, value]) => value !== undefined))
  const page = await client.get(`${routes.tasks}?${query.toString()}`, taskPageSchema)
  return { data: page, text: showPage(page, context.paint) }
}

function showPage({ rows, next, counts }: TaskPageOnTheWire, paint: Paint): string[] {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  if (total === 0)
    return ['nothing is being delivered', 'next  write a brief, and hand it over', 'look  gaffer delegate BRIEF']
  const finished = (row: TaskRowOnTheWire): boolean => row.state === 'landed' || row.state === 'abandoned'
  const needed = rows.filter((row) => !finished(row) && row.waitsFor !== null)
  const underWay = rows.filter((row) => !finished(row) && row.waitsFor === null)
  return [
    ...group(paint.needed('needs a person'), needed, paint),
    ...group(paint.strong('under way'), underWay, paint),
    ...group(paint.soft('finished'), rows.filter(finished), paint),
    ...(rows.length === 0 ? ['none of that state', ''] : []),
    states
      .filter((state) => counts[state] > 0)
      .map((state) => `${counts[state]} ${state}`)
      .join(', '),
    ...(next === null
      ? []
      : [`next  ${plural(rows.length, 'task')} shown; go on with \`gaffer status --after ${next}\``]),
  ]
}

function group(title: string, rows: readonly TaskRowOnTheWire[], paint: Paint): string[] {
  if (rows.length === 0) return []
  const lines = columns(
    rows.map((row) => [
      row.id,
      row.state,
      row.unitsTotal === 0 ? '' : `${row.unitsDone}/${row.unitsTotal}`,
      oneLine(row.owner),
      row.waitsFor === null ? paint.soft(oneLine(row.title)) : oneLine(row.waitsFor),
    ]),
  )
  return [title, ...indent(lines), '']
}
