import { refuse, type Refusal } from '../fault.ts'
import { slug, unitId, type UnitId } from '../ids.ts'
import type { Unit } from '../plan.ts'
import { judge } from '../verdict.ts'
import type { TaskCommand, TaskCommandOf } from './command.ts'
import type { TaskEvent } from './event.ts'
import {
  isFinished,
  unitsToReview,
  workOf,
  type Blocked,
  type Building,
  type Reviewing,
  type Task,
  type Unfinished,
  type UnitProgress,
} from './task.ts'

export type Decision = { readonly kind: 'accepted'; readonly events: readonly TaskEvent[] } | Refusal

const accept = (...events: readonly TaskEvent[]): Decision => ({ kind: 'accepted', events })

/** The whole rule book of a task's life: what a command leads to, from here, or why not. Pure. */
export function decide(task: Task | undefined, command: TaskCommand): Decision {
  if (command.type === 'draft') return draft(task, command)
  if (task === undefined) return refuse(command.type, 'there is no such task', 'look at `gaffer status`')
  if (isFinished(task)) return refuse(command.type, `${task.id} is ${task.state}, which is final`, 'open a new task')
  if (command.type === 'abandon') return abandon(task, command)
  if (task.state === 'blocked')
    return command.type === 'unblock'
      ? unblock(task, command)
      : refuse(command.type, `${task.id} is blocked: ${task.unblocks}`, `answer it first: \`gaffer answer ${task.id}\``)
  return decideUnfinished(task, command)
}

function decideUnfinished(task: Unfinished, command: Exclude<TaskCommand, { type: 'draft' | 'abandon' }>): Decision {
  switch (command.type) {
    case 'propose-plan':
      return task.state === 'drafted'
        ? proposePlan(task.rules.planApproval, command)
        : wrongState(task, command, 'drafted')
    case 'approve-plan':
      if (task.state !== 'planned') return wrongState(task, command, 'planned')
      return byPerson(command) ?? accept({ type: 'plan-approved' })
    case 'send-plan-back':
      if (task.state !== 'planned') return wrongState(task, command, 'planned')
      return byPerson(command) ?? accept({ type: 'plan-sent-back', note: command.note })
    case 'start-unit':
      return task.state === 'building' ? startUnit(task, command) : wrongState(task, command, 'building')
    case 'judge-round':
      return task.state === 'building' ? judgeRound(task, command) : wrongState(task, command, 'building')
    case 'checkpoint':
      return task.state === 'building' ? checkpoint(task, command) : wrongState(task, command, 'building')
    case 'accept-unit':
      return task.state === 'reviewing' ? acceptUnit(task, command) : wrongState(task, command, 'reviewing')
    case 'request-changes':
      return task.state === 'reviewing' ? requestChanges(task, command) : wrongState(task, command, 'reviewing')
    case 'prepare-candidate':
      return task.state === 'reviewing' ? prepareCandidate(task, command) : wrongState(task, command, 'reviewing')
    case 'sign':
      return task.state === 'reviewing' ? sign(task, command) : wrongState(task, command, 'reviewing')
    case 'start-landing':
      if (task.state !== 'signed' && task.state !== 'landing') return wrongState(task, command, 'signed')
      return accept({ type: 'landing-started', attempt: command.attempt })
    case 'stop-landing':
      return task.state === 'landing' ? accept({ type: 'landing-stopped' }) : wrongState(task, command, 'landing')
    case 'withdraw-candidate':
      if (
        task.state !== 'signed' &&
        task.state !== 'landing' &&
        !(task.state === 'reviewing' && task.candidate !== null)
      )
        return wrongState(task, command, 'signed')
      return accept({ type: 'candidate-withdrawn', because: command.because })
    case 'finish-landing':
      if (task.state !== 'landing') return wrongState(task, command, 'landing')
      if (command.commit !== task.attempt.commit)
        return refuse(
          'landing',
          `${command.commit} is not the commit that was about to land`,
          'start the landing again',
        )
      return accept({ type: 'landed', commit: command.commit })
    case 'block':
      return accept({ type: 'blocked', reason: command.reason, unblocks: command.unblocks })
    case 'unblock':
      return refuse('unblock', `${task.id} is not blocked`, `see what it waits for: \`gaffer status ${task.id}\``)
  }
}

function draft(task: Task | undefined, { actor, type: _, ...settled }: TaskCommandOf<'draft'>): Decision {
  if (task !== undefined) return refuse('draft', `${settled.id} is taken`, 'draw another id')
  if (actor.kind === 'agent') return refuse('draft', 'an agent cannot delegate', 'a person delegates')
  return accept({ type: 'task-drafted', ...settled, delegatedBy: actor })
}

/**
 * Never while a landing is under way: it may be on the branch already, and then it did land (I5). A landing that was
 * turned away goes back to `signed`, and can be abandoned there.
 */
function abandon(task: Unfinished | Blocked, command: TaskCommandOf<'abandon'>): Decision {
  if (workOf(task).state === 'landing')
    return refuse(
      'abandon',
      `${task.id} is landing, and may have landed already`,
      task.state === 'blocked' ? `see first: \`gaffer land ${task.id}\`` : `watch it: \`gaffer watch ${task.id}\``,
    )
  return byPerson(command) ?? accept({ type: 'abandoned', because: command.because })
}

/** What people say about a whole that its final gates refused is work: it becomes a unit of its own. */
function unblock(task: Blocked, command: TaskCommandOf<'unblock'>): Decision {
  const refused = byPerson(command)
  if (refused !== undefined) return refused
  const { guidance } = command
  const { was, reason } = task
  const last = was.state === 'reviewing' && reason.kind === 'final-gates-failed' ? was.units.at(-1)?.unit : undefined
  const revision =
    was.state !== 'reviewing' || last === undefined || guidance === null ? null : revise(was, last, guidance)
  return accept({ type: 'unblocked', guidance, revision })
}

const proposePlan = (needsApproval: boolean, { plan }: TaskCommandOf<'propose-plan'>): Decision =>
  needsApproval
    ? accept({ type: 'plan-proposed', plan })
    : accept({ type: 'plan-proposed', plan }, { type: 'plan-approved' })

/** The unit that is next in order: the first without a checkpoint (I1). */
export const nextUnit = (task: Building): Exclude<UnitProgress, { status: 'checkpointed' }> | undefined =>
  task.units.find((progress) => progress.status !== 'checkpointed')

function startUnit(task: Building, { unit }: TaskCommandOf<'start-unit'>): Decision {
  const next = nextUnit(task)
  if (next?.unit.id !== unit)
    return refuse('start-unit', `${unit} is not next`, `the next unit is ${next?.unit.id ?? 'none'}`)
  if (next.status === 'under-way') return refuse('start-unit', `${unit} is under way`, 'judge its round')
  return accept({ type: 'unit-started', unit })
}

function underWay(task: Building, unit: UnitId): Extract<UnitProgress, { status: 'under-way' }> | Refusal {
  const next = nextUnit(task)
  if (next?.status !== 'under-way' || next.unit.id !== unit)
    return refuse('build', `${unit} is not the unit under way`, `the unit under way is ${next?.unit.id ?? 'none'}`)
  return next
}

function judgeRound(
  task: Building,
  { unit, round, tree, results, problems = [] }: TaskCommandOf<'judge-round'>,
): Decision {
  const progress = underWay(task, unit)
  if ('kind' in progress) return progress
  const number = progress.rounds.length + 1
  if (round !== number)
    return refuse('judge-round', `round ${round} of ${unit} is not the current one`, `judge round ${number}`)
  if (number > progress.allowance)
    return refuse('judge-round', `${unit} has used its ${progress.allowance} rounds`, 'a person has to unblock it')
  const judgement = judge(results)
  const findings = judgement.kind === 'failed' ? judgement.findings : []
  return accept({ type: 'round-judged', unit, round: { number, tree, outcome: judgement.kind, findings, problems } })
}

function checkpoint(task: Building, { unit, commit, tree, results, answers }: TaskCommandOf<'checkpoint'>): Decision {
  const progress = underWay(task, unit)
  if ('kind' in progress) return progress
  const last = progress.rounds.at(-1)
  if (last?.outcome !== 'passed' || judge(results).kind !== 'passed')
    return refuse('checkpoint', `the gates of ${unit} have not passed`, 'run its gates') // I2
  if (last.tree !== tree) return refuse('checkpoint', `the gates of ${unit} passed on another tree`, `judge ${tree}`) // I2
  return accept({ type: 'unit-checkpointed', unit, checkpoint: { commit, tree, results, answers } })
}

function acceptUnit(task: Reviewing, command: TaskCommandOf<'accept-unit'>): Decision {
  if (command.actor.kind !== 'person') return notAPerson(command)
  if (!task.units.some(({ unit }) => unit.id === command.unit)) return noSuchUnit(task, command.unit)
  return accept({ type: 'unit-accepted', unit: command.unit, by: command.actor.email })
}

function requestChanges(task: Reviewing, command: TaskCommandOf<'request-changes'>): Decision {
  if (command.actor.kind !== 'person') return notAPerson(command)
  const reviewed = task.units.find(({ unit }) => unit.id === command.unit)?.unit
  if (reviewed === undefined) return noSuchUnit(task, command.unit)
  if (command.reason.trim() === '')
    return refuse('request-changes', 'there is no reason', 'say what has to change, and why')
  const revision = revise(task, reviewed, command.reason)
  return accept({
    type: 'changes-requested',
    unit: reviewed.id,
    by: command.actor.email,
    reason: command.reason,
    revision,
  })
}

function revise(task: Reviewing, reviewed: Unit, reason: string): Unit {
  const taken = new Set(task.units.map(({ unit }) => unit.id))
  const stem = slug(reviewed.id).replace(/-r\d+$/, '')
  let number = 2
  while (taken.has(unitId(`${stem}-r${number}`))) number += 1
  return { ...reviewed, id: unitId(`${stem}-r${number}`), goal: reason.slice(0, 4_000), revises: reviewed.id }
}

function prepareCandidate(task: Reviewing, { candidate }: TaskCommandOf<'prepare-candidate'>): Decision {
  if (candidate.evidence.length === 0)
    return refuse('prepare-candidate', 'there is no evidence about it', 'run the final gates')
  return accept({ type: 'candidate-prepared', candidate })
}

function sign(task: Reviewing, command: TaskCommandOf<'sign'>): Decision {
  if (command.actor.kind !== 'person' || command.actor.email !== task.brief.owner)
    return refuse('sign', `only the owner, ${task.brief.owner}, signs ${task.id}`, 'ask the owner') // I4
  if (task.candidate === null) return refuse('sign', `${task.id} has nothing to sign yet`, 'wait for the final gates') // I3
  const [waiting] = unitsToReview(task)
  if (waiting !== undefined)
    return refuse('sign', `unit ${waiting.unit.id} has not been accepted`, `review it: \`gaffer review ${task.id}\``) // I3
  if (command.candidate !== task.candidate.commit)
    return refuse(
      'sign',
      `the signature is about ${command.candidate}, and ${task.candidate.commit} stands now`,
      'look again, and sign what stands',
    ) // I4
  return accept({ type: 'signed', signature: { by: command.actor.email, armoured: command.armoured } })
}

const byPerson = (command: TaskCommand): Refusal | undefined =>
  command.actor.kind === 'person' ? undefined : notAPerson(command)

const notAPerson = (command: TaskCommand): Refusal =>
  refuse(
    command.type,
    `${command.actor.kind === 'agent' ? 'an agent' : 'the system'} cannot do that`,
    'a person does it',
  )

const noSuchUnit = (task: Reviewing, unit: string): Refusal =>
  refuse(
    'review',
    `there is no unit ${unit}`,
    `the units are ${task.units.map((progress) => progress.unit.id).join(', ')}`,
  )

const wrongState = (task: Unfinished, command: TaskCommand, needed: Unfinished['state']): Refusal =>
  refuse(
    command.type,
    `${task.id} is ${task.state}, not ${needed}`,
    `see what it waits for: \`gaffer status ${task.id}\``,
  )
