import { sayActor } from '../domain/actor.ts'
import type { NeverLine } from '../domain/brief.ts'
import type { Unit } from '../domain/plan.ts'
import { isFinished, unitsToReview, workOf, type Task, type UnitProgress } from '../domain/task/task.ts'
import type { GateResult } from '../domain/verdict.ts'
import type { TaskDetail, UnitOnTheWire } from '../contract/task-detail.ts'
import type { TaskRow, TaskView } from '../workflows/gaffer.ts'
import { sayReason } from '../workflows/waits-for.ts'
import { nextStep } from './next-step.ts'
import { sayFinding } from './say-event.ts'

/** The task as people look at it, on the wire. Pure. */
export function presentTask({ row, task, version }: TaskView): TaskDetail {
  const { turn, ...next } = nextStep(task)
  const work = workOf(task)
  const { brief } = task
  return {
    row: presentRow(row),
    version,
    turn,
    next,
    brief: {
      title: brief.title,
      type: brief.type,
      owner: brief.owner,
      feature: brief.feature,
      scope: [...brief.scope],
      budget: brief.budget,
      outcome: brief.outcome,
      context: brief.context,
      acceptance: brief.acceptance.map(({ id, text, test }) => ({ id, text, test })),
      failureModes: [...brief.failureModes],
      never: brief.never.map(sayNever),
      exemplars: [...brief.exemplars],
    },
    hub: task.hub,
    branch: task.branch,
    base: task.base,
    delegatedBy: sayActor(task.delegatedBy),
    plan: 'plan' in work ? { summary: work.plan.summary } : null,
    units: presentUnits(task),
    candidate:
      'candidate' in work && work.candidate !== null
        ? {
            commit: work.candidate.commit,
            tree: work.candidate.tree,
            base: work.candidate.base,
            evidence: work.candidate.evidence.map(({ gate, digest, verdict }) => ({
              gate,
              digest,
              verdict: verdict ?? null,
            })),
          }
        : null,
    signedBy: 'signature' in work ? work.signature.by : null,
    landing: 'attempt' in work ? work.attempt : null,
    blocked:
      task.state === 'blocked'
        ? { kind: task.reason.kind, says: [sayReason(task.reason), ...findingsOf(task)], unblocks: task.unblocks }
        : null,
    abandonedBecause: task.state === 'abandoned' ? task.because : null,
  }
}

export const presentRow = (row: TaskRow): TaskDetail['row'] => ({ ...row })

const findingsOf = (task: Extract<Task, { state: 'blocked' }>): string[] =>
  'findings' in task.reason ? task.reason.findings.map(sayFinding) : []

const sayNever = (never: NeverLine): { text: string; line: number } => ({ text: never.text, line: never.line })

function presentUnits(task: Task): UnitOnTheWire[] {
  const work = workOf(task)
  if ('units' in work) return work.units.map((progress) => presentUnit(progress.unit, progress, task))
  return work.state === 'planned' ? work.plan.units.map((unit) => presentUnit(unit, undefined, task)) : []
}

function presentUnit(unit: Unit, progress: UnitProgress | undefined, task: Task): UnitOnTheWire {
  const checkpoint = progress?.status === 'checkpointed' ? progress.checkpoint : null
  const rounds = progress === undefined || progress.status === 'pending' ? [] : progress.rounds
  return {
    id: unit.id,
    title: unit.title,
    goal: unit.goal,
    acceptance: [...unit.acceptance],
    files: [...unit.files],
    revises: unit.revises,
    status: progress?.status ?? 'pending',
    rounds: rounds.map(({ number, outcome, findings }) => ({ number, outcome, findings: [...findings] })),
    checkpoint:
      checkpoint === null
        ? null
        : {
            commit: checkpoint.commit,
            tree: checkpoint.tree,
            results: checkpoint.results.map(presentResult),
            claims: checkpoint.answers,
          },
    review: presentReview(unit, task),
  }
}

type Results = NonNullable<UnitOnTheWire['checkpoint']>['results']
const presentResult = (result: GateResult): Results[number] => {
  const { verdict } = result
  return { ...result, verdict: verdict.kind === 'failed' ? { ...verdict, findings: [...verdict.findings] } : verdict }
}

/** A unit that was sent back and has a revision since is not waited for: its revision is. */
function presentReview(unit: Unit, task: Task): UnitOnTheWire['review'] {
  const work = workOf(task)
  const given = 'reviews' in work ? work.reviews[unit.id] : undefined
  if (given?.kind === 'changes-requested') {
    const revised = 'units' in work && work.units.some((other) => other.unit.revises === unit.id)
    return { ...given, kind: revised ? 'revised' : 'changes-requested' }
  }
  if (given !== undefined) return given
  const waits =
    work.state === 'reviewing'
      ? unitsToReview(work).some((other) => other.unit.id === unit.id)
      : task.rules.unitReview && !isFinished(task)
  return { kind: waits ? 'waits' : 'not-asked' }
}
