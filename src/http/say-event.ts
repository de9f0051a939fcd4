import type { EventLine } from '../contract/events.ts'
import { taskEventSchema, type TaskEvent } from '../domain/task/event.ts'
import type { Finding, GateResult } from '../domain/verdict.ts'
import { sayReason } from '../workflows/waits-for.ts'

/** What a stored event says, one line each; an event of a later version says only its name. Pure. */
export function sayStored(event: unknown): EventLine[] {
  const parsed = taskEventSchema.safeParse(event)
  if (parsed.success) return sayEvent(parsed.data)
  const type = typeof event === 'object' && event !== null && 'type' in event ? String(event.type) : 'event'
  return [line('event', type.slice(0, 60), '', 'plain')]
}

export function sayEvent(event: TaskEvent): EventLine[] {
  switch (event.type) {
    case 'task-drafted':
      return [
        line('opened', event.id, `${event.brief.title} (owner ${event.brief.owner}, agent ${event.agent})`, 'plain'),
      ]
    case 'plan-proposed':
      return [
        line('plan', count(event.plan.units.length, 'unit'), firstLine(event.plan.summary), 'plain'),
        ...event.plan.units.map((unit) => line('unit', unit.id, unit.title, 'plain')),
      ]
    case 'plan-approved':
      return [line('approved', 'plan', '', 'good')]
    case 'plan-sent-back':
      return [line('sent back', 'plan', firstLine(event.note), 'needed')]
    case 'unit-started':
      return [line('build', event.unit, '', 'plain')]
    case 'round-judged':
      return sayRound(event.unit, event.round)
    case 'unit-checkpointed':
      return [
        line(
          'checked',
          event.unit,
          `${event.checkpoint.commit.slice(0, 10)}  ${sayResults(event.checkpoint.results)}`,
          'good',
        ),
      ]
    case 'unit-accepted':
      return [line('accepted', event.unit, `by ${event.by}`, 'good')]
    case 'changes-requested':
      return [line('sent back', event.unit, `by ${event.by}: ${firstLine(event.reason)}`, 'needed')]
    case 'candidate-prepared':
      return [
        line(
          'ready',
          event.candidate.commit.slice(0, 10),
          `evidence of ${event.candidate.evidence.map(({ gate }) => gate).join(', ')}`,
          'good',
        ),
      ]
    case 'signed':
      return [line('signed', event.signature.by, '', 'good')]
    case 'landing-started':
      return [line('landing', event.attempt.commit.slice(0, 10), `onto ${event.attempt.base.slice(0, 10)}`, 'plain')]
    case 'landing-stopped':
      return [line('turned away', 'landing', 'nothing of it is on the branch', 'needed')]
    case 'candidate-withdrawn':
      return [line('withdrawn', 'candidate', firstLine(event.because), 'needed')]
    case 'landed':
      return [line('landed', event.commit.slice(0, 10), '', 'good')]
    case 'blocked':
      return [line('blocked', sayReason(event.reason), event.unblocks, 'needed')]
    case 'unblocked':
      return [line('goes on', event.guidance === null ? '' : firstLine(event.guidance), '', 'plain')]
    case 'abandoned':
      return [line('abandoned', '', firstLine(event.because), 'needed')]
  }
}

function sayRound(unit: string, round: Extract<TaskEvent, { type: 'round-judged' }>['round']): EventLine[] {
  switch (round.outcome) {
    case 'passed':
      return [line('passed', unit, `round ${round.number}`, 'good')]
    case 'failed':
      return sayCaught(round.findings)
    case 'unavailable':
      return [line('no verdict', unit, `round ${round.number}: a gate is unavailable`, 'needed')]
  }
}

/** One line for each gate that caught something: its first finding in full, the others counted. */
function sayCaught(findings: readonly Finding[]): EventLine[] {
  return [...Map.groupBy(findings, ({ gate }) => gate)].map(([gate, [first, ...others]]) => {
    const text = first === undefined ? '' : sayFinding(first)
    return line(
      'caught',
      gate,
      others.length === 0 ? text : `${text} (and ${count(others.length, 'more finding')})`,
      'caught',
    )
  })
}

/** A finding in one line: where, what, and how it is mended. */
export function sayFinding({ place, message, mend }: Finding): string {
  const where =
    place === null || message.includes(place.path)
      ? ''
      : `${place.path}${place.line === null ? '' : `:${place.line}`}: `
  return `${where}${firstLine(message)}${mend === null ? '' : `: ${firstLine(mend)}`}`
}

const sayResults = (results: readonly GateResult[]): string => {
  const passed = results.filter(({ verdict }) => verdict.kind === 'passed').map(({ gate }) => gate)
  const other = results.filter(({ verdict }) => verdict.kind === 'not-applicable').map(({ gate }) => gate)
  return [`passed ${passed.join(', ') || 'no gate'}`, other.length > 0 ? `not applicable ${other.join(', ')}` : '']
    .filter(Boolean)
    .join('; ')
}

const line = (mark: string, subject: string, text: string, tone: EventLine['tone']): EventLine => ({
  mark,
  subject,
  text,
  tone,
})
const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
const firstLine = (text: string): string => (text.trim().split('\n', 1)[0] ?? '').slice(0, 300)
