import type { Unit } from '../plan.ts'
import type { TaskEvent, TaskEventOf } from './event.ts'
import {
  workOf,
  type Attempt,
  type Building,
  type CheckpointedUnit,
  type Landing,
  type Reviewing,
  type Signed,
  type Task,
  type Unfinished,
  type UnitProgress,
} from './task.ts'

/** What a task is after an event that decide() led to. Pure; an event out of place is a corrupted stream and throws. */
export function evolve(task: Task | undefined, event: TaskEvent): Task {
  if (event.type === 'task-drafted') {
    if (task !== undefined) throw outOfPlace(task, event)
    const { type: _, ...settled } = event
    return { ...settled, state: 'drafted', planNotes: [] }
  }
  if (task === undefined || task.state === 'landed' || task.state === 'abandoned') throw outOfPlace(task, event)
  if (event.type === 'abandoned')
    return { ...common(task), state: 'abandoned', was: workOf(task) as Unfinished, because: event.because }
  if (task.state === 'blocked') {
    if (event.type !== 'unblocked') throw outOfPlace(task, event)
    return resume(task.was, event) // I6
  }
  return evolveUnfinished(task, event)
}

/** The task that a stream of events tells of; undefined for an empty one. */
export const replay = (events: Iterable<TaskEvent>): Task | undefined => {
  let task: Task | undefined
  for (const event of events) task = evolve(task, event)
  return task
}

function evolveUnfinished(task: Unfinished, event: Exclude<TaskEvent, { type: 'task-drafted' | 'abandoned' }>): Task {
  switch (event.type) {
    case 'plan-proposed':
      if (task.state !== 'drafted') throw outOfPlace(task, event)
      return { ...task, state: 'planned', plan: event.plan }
    case 'plan-approved': {
      if (task.state !== 'planned') throw outOfPlace(task, event)
      const units = task.plan.units.map((unit): UnitProgress => ({ status: 'pending', unit }))
      return { ...common(task), state: 'building', plan: task.plan, units, reviews: {} }
    }
    case 'plan-sent-back':
      if (task.state !== 'planned') throw outOfPlace(task, event)
      return { ...common(task), state: 'drafted', planNotes: [...task.planNotes, event.note] }
    case 'unit-started':
    case 'round-judged':
    case 'unit-checkpointed':
      if (task.state !== 'building') throw outOfPlace(task, event)
      return build(task, event)
    case 'unit-accepted':
      if (task.state !== 'reviewing') throw outOfPlace(task, event)
      return { ...task, reviews: { ...task.reviews, [event.unit]: { kind: 'accepted', by: event.by } } }
    case 'changes-requested': {
      if (task.state !== 'reviewing') throw outOfPlace(task, event)
      const review = { kind: 'changes-requested' as const, by: event.by, reason: event.reason }
      return { ...reopen(task, event.revision), reviews: { ...task.reviews, [event.unit]: review } }
    }
    case 'candidate-prepared':
      if (task.state !== 'reviewing') throw outOfPlace(task, event)
      return { ...task, candidate: event.candidate }
    case 'signed':
      if (task.state !== 'reviewing' || task.candidate === null) throw outOfPlace(task, event)
      return { ...task, state: 'signed', candidate: task.candidate, signature: event.signature }
    case 'landing-started':
      if (task.state !== 'signed' && task.state !== 'landing') throw outOfPlace(task, event)
      return startLanding(task, event.attempt)
    case 'landing-stopped': {
      if (task.state !== 'landing') throw outOfPlace(task, event)
      const { attempt: _, ...rest } = task
      return { ...rest, state: 'signed' }
    }
    case 'candidate-withdrawn':
      return withdraw(task, event)
    case 'landed':
      if (task.state !== 'landing') throw outOfPlace(task, event)
      return { ...task, state: 'landed' }
    case 'blocked':
      return { ...common(task), state: 'blocked', was: task, reason: event.reason, unblocks: event.unblocks }
    case 'unblocked':
      throw outOfPlace(task, event)
  }
}

function build(
  task: Building,
  event: TaskEventOf<'unit-started' | 'round-judged' | 'unit-checkpointed'>,
): Building | Reviewing {
  const units = task.units.map((progress): UnitProgress => {
    if (progress.unit.id !== event.unit) return progress
    switch (event.type) {
      case 'unit-started':
        return { status: 'under-way', unit: progress.unit, rounds: [], allowance: task.rules.rounds, guidance: [] }
      case 'round-judged':
        if (progress.status !== 'under-way') throw outOfPlace(task, event)
        return { ...progress, rounds: [...progress.rounds, event.round] }
      case 'unit-checkpointed':
        if (progress.status !== 'under-way') throw outOfPlace(task, event)
        return { status: 'checkpointed', unit: progress.unit, rounds: progress.rounds, checkpoint: event.checkpoint }
    }
  })
  const built = units.filter((progress): progress is CheckpointedUnit => progress.status === 'checkpointed')
  if (built.length < units.length) return { ...task, units }
  return { ...common(task), state: 'reviewing', plan: task.plan, units: built, reviews: task.reviews, candidate: null }
}

const startLanding = (task: Signed | Landing, attempt: Attempt): Landing => ({ ...task, state: 'landing', attempt })

function withdraw(task: Unfinished, event: TaskEvent): Reviewing {
  if (task.state !== 'signed' && task.state !== 'landing' && task.state !== 'reviewing') throw outOfPlace(task, event)
  const { plan, units, reviews } = task
  return { ...common(task), state: 'reviewing', plan, units, reviews, candidate: null }
}

/** Back to where it was; what the person said goes to the unit under way, with as many rounds again. */
function resume(was: Unfinished, { guidance, revision }: TaskEventOf<'unblocked'>): Unfinished {
  if (was.state === 'drafted') return guidance === null ? was : { ...was, planNotes: [...was.planNotes, guidance] }
  if (was.state === 'reviewing' && revision !== null) return reopen(was, revision)
  if (was.state !== 'building') return was
  const units = was.units.map((progress): UnitProgress => {
    if (progress.status !== 'under-way') return progress
    const allowance = progress.rounds.length + was.rules.rounds
    return {
      ...progress,
      allowance,
      guidance: guidance === null ? progress.guidance : [...progress.guidance, guidance],
    }
  })
  return { ...was, units }
}

/** Back to building, for one more unit; the candidate no longer stands. */
function reopen({ candidate: _, ...rest }: Reviewing, revision: Unit): Building {
  return { ...rest, state: 'building', units: [...rest.units, { status: 'pending', unit: revision }] }
}

const common = ({ id, brief, briefDigest, hub, branch, base, agent, delegatedBy, rules }: Task) => ({
  id,
  brief,
  briefDigest,
  hub,
  branch,
  base,
  agent,
  delegatedBy,
  rules,
})

const outOfPlace = (task: Task | undefined, event: TaskEvent): Error =>
  new Error(
    `a ${event.type} event cannot follow on ${task === undefined ? 'nothing' : `${task.id} being ${task.state}`}`,
  )
