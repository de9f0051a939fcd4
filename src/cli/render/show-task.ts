import type { TaskDetail, UnitOnTheWire } from '../../contract/task-detail.ts'
import { columns, indent, plural, short, wrapped } from './layout.ts'
import { oneLine, printable } from './printable.ts'
import type { Paint } from './paint.ts'

/** A task on one screen: where it is, what it needs, its units. */
export function showTask(task: TaskDetail, paint: Paint): string[] {
  const { row } = task
  return [
    `${paint.strong(row.id)}  ${oneLine(row.title)}`,
    '',
    ...columns([
      ['state', stateOf(task, paint)],
      ['owner', oneLine(row.owner)],
      ['agent', oneLine(row.agent)],
      ['into', `${task.branch} of ${oneLine(task.hub)}, from ${short(task.base)}`],
      ...(task.candidate === null
        ? []
        : [['candidate', `${short(task.candidate.commit)}, tree ${short(task.candidate.tree)}`]]),
      ...(task.signedBy === null ? [] : [['signed', `by ${oneLine(task.signedBy)}`]]),
      ...(task.landing === null || row.state !== 'landed' ? [] : [['commit', task.landing.commit]]),
    ]),
    ...(task.units.length === 0
      ? []
      : ['', plural(task.units.length, 'unit'), ...indent(columns(task.units.map((unit) => unitRow(unit, paint))))]),
    ...showBlock(task, paint),
    ...(task.abandonedBecause === null ? [] : ['', ...wrapped(`abandoned: ${printable(task.abandonedBecause)}`)]),
    '',
    ...showNext(task),
  ]
}

export const showNext = ({ next }: TaskDetail): string[] => [
  `next  ${oneLine(next.says)}`,
  ...(next.command === null ? [] : [`look  ${oneLine(next.command)}`]),
]

function stateOf({ row, turn }: TaskDetail, paint: Paint): string {
  const units = row.unitsTotal === 0 ? '' : `, ${row.unitsDone} of ${plural(row.unitsTotal, 'unit')} checked`
  const colour = row.state === 'landed' ? paint.good : turn === 'person' ? paint.needed : paint.strong
  return `${colour(row.state)}${units}`
}

function unitRow(unit: UnitOnTheWire, paint: Paint): string[] {
  const status = {
    pending: paint.soft('to do'),
    'under-way': paint.strong('building'),
    checkpointed: paint.good('checked'),
  }
  return [status[unit.status], unit.id, oneLine(unit.title), paint.soft(reviewWord(unit))]
}

export function reviewWord({ status, review }: UnitOnTheWire): string {
  switch (review.kind) {
    case 'waits':
      return status === 'checkpointed' ? 'waits for review' : ''
    case 'accepted':
      return `accepted by ${oneLine(review.by)}`
    case 'changes-requested':
      return `sent back by ${oneLine(review.by)}`
    case 'revised':
      return 'replaced by its revision'
    case 'not-asked':
      return ''
  }
}

function showBlock({ blocked }: TaskDetail, paint: Paint): string[] {
  if (blocked === null) return []
  const [first = '', ...rest] = blocked.says.map(oneLine)
  return ['', `${paint.needed('blocked')}  ${first}`, ...indent(rest, 9)]
}
