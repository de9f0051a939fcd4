import type { Actor } from '../actor.ts'
import type { Brief } from '../brief.ts'
import type { FaultRecord } from '../fault.ts'
import type { CommitSha, Digest, Email, TaskId, TreeSha, UnitId } from '../ids.ts'
import type { Answers, Plan, Unit } from '../plan.ts'
import type { Finding, GateResult } from '../verdict.ts'

/**
 * The life of a **Task**, one brief being delivered:
 *
 *     drafted → planned → building → reviewing → signed → landing → landed
 *
 * and beside it `blocked` (a person is needed; remembers where it was) and `abandoned`, from any unfinished state.
 * Allowed on the way back: planned → drafted (plan sent back), reviewing → building (changes requested),
 * landing → signed (the hub turned it away), signed | landing → reviewing (the candidate no longer stands).
 *
 * Invariants, cited by tests as I1 …:
 *  I1  units checkpointed are a prefix of the units, and at most one unit is under way.
 *  I2  a unit is checkpointed only on the tree that its last round was judged passed on.
 *  I3  a candidate exists only when every unit is checkpointed, and is signed only when every review that is asked for accepts.
 *  I4  only the owner, a person, signs, and only the candidate that stands.
 *  I5  landing starts only from a signature; landed is final, and so is abandoned; what is landing is never abandoned.
 *  I6  blocked returns to exactly where it was.
 */
export type Task = Unfinished | Blocked | Landed | Abandoned
export type Unfinished = Drafted | Planned | Building | Reviewing | Signed | Landing
export type TaskState = Task['state']

/** What is settled when a task is opened and never changes. */
export interface Common {
  readonly id: TaskId
  readonly brief: Brief
  readonly briefDigest: Digest
  /** Where checkpoints and the landing go: a path or URL that git understands. */
  readonly hub: string
  readonly branch: string
  /** Head of the protected branch when the task was opened; the units build on it. */
  readonly base: CommitSha
  readonly agent: string
  readonly delegatedBy: Actor
  readonly rules: Rules
}

/** The review rules of the protected base, as they were when the task was opened. */
export interface Rules {
  readonly planApproval: boolean
  readonly unitReview: boolean
  readonly rounds: number
}

export interface Drafted extends Common {
  readonly state: 'drafted'
  /** What people said when they sent a plan back; oldest first. */
  readonly planNotes: readonly string[]
}

export interface Planned extends Common {
  readonly state: 'planned'
  readonly plan: Plan
  readonly planNotes: readonly string[]
}

/** One judged turn of an agent on a unit. */
export interface Round {
  readonly number: number
  readonly tree: TreeSha
  readonly outcome: 'passed' | 'failed' | 'unavailable'
  readonly findings: readonly Finding[]
  /** Absent in rounds that were recorded before problems were kept. */
  readonly problems?: readonly WorkspaceProblem[] | undefined
}

/** What the host found in a workspace that cannot be part of a tree that lands. */
export interface WorkspaceProblem {
  readonly kind: 'nested-repository' | 'symlink-leaves' | 'too-large' | 'special-file'
  readonly path: string
  readonly detail: string
}

export interface Checkpoint {
  readonly commit: CommitSha
  readonly tree: TreeSha
  readonly results: readonly GateResult[]
  /** null when the agent gave none that could be read. */
  readonly answers: Answers | null
}

export type UnitProgress =
  | { readonly status: 'pending'; readonly unit: Unit }
  | {
      readonly status: 'under-way'
      readonly unit: Unit
      readonly rounds: readonly Round[]
      /** Rounds the agent may use in all; a person who unblocks the unit grants as many again. */
      readonly allowance: number
      /** What people said to the agent about this unit; oldest first. */
      readonly guidance: readonly string[]
    }
  | {
      readonly status: 'checkpointed'
      readonly unit: Unit
      readonly rounds: readonly Round[]
      readonly checkpoint: Checkpoint
    }

export interface Building extends Common {
  readonly state: 'building'
  readonly plan: Plan
  readonly units: readonly UnitProgress[]
  readonly reviews: Reviews
}

/** A person's verdict on a unit. */
export type UnitReview =
  | { readonly kind: 'accepted'; readonly by: Email }
  | { readonly kind: 'changes-requested'; readonly by: Email; readonly reason: string }
export type Reviews = Readonly<Record<UnitId, UnitReview>>

export interface CandidateEvidence {
  readonly gate: string
  readonly digest: Digest
  /** Kept beside the digest so that the signer sees it; absent where it was not. */
  readonly verdict?: 'passed' | 'not-applicable' | undefined
}

/** The commit the owner is asked to sign: the built change on `base`, with its changelog entry and without the plan. */
export interface Candidate {
  readonly commit: CommitSha
  readonly tree: TreeSha
  readonly base: CommitSha
  readonly evidence: readonly CandidateEvidence[]
  /** Exact bytes the owner signs, UTF-8. */
  readonly statement: string
}

export interface Reviewing extends Common {
  readonly state: 'reviewing'
  readonly plan: Plan
  readonly units: readonly CheckpointedUnit[]
  readonly reviews: Reviews
  /** null until the whole has been judged. */
  readonly candidate: Candidate | null
}
export type CheckpointedUnit = Extract<UnitProgress, { status: 'checkpointed' }>

export interface Signature {
  readonly by: Email
  /** Armoured SSH signature (`-----BEGIN SSH SIGNATURE-----`) over the candidate's statement. */
  readonly armoured: string
}

interface Owned extends Common {
  readonly plan: Plan
  readonly units: readonly CheckpointedUnit[]
  readonly reviews: Reviews
  readonly candidate: Candidate
  readonly signature: Signature
}

export interface Signed extends Owned {
  readonly state: 'signed'
}

/** What is about to be compared and swapped into the protected branch. */
export interface Attempt {
  readonly commit: CommitSha
  readonly tree: TreeSha
  readonly base: CommitSha
}

export interface Landing extends Owned {
  readonly state: 'landing'
  readonly attempt: Attempt
}

export interface Landed extends Owned {
  readonly state: 'landed'
  readonly attempt: Attempt
}

/** Why a person is needed. */
export type BlockReason =
  | { readonly kind: 'rounds-used-up'; readonly unit: UnitId; readonly findings: readonly Finding[] }
  | { readonly kind: 'gate-unavailable'; readonly gate: string; readonly cause: FaultRecord }
  | { readonly kind: 'fault'; readonly during: string; readonly cause: FaultRecord }
  | { readonly kind: 'final-gates-failed'; readonly findings: readonly Finding[] }
  | { readonly kind: 'conflict'; readonly paths: readonly string[] }
  | { readonly kind: 'agent-asks'; readonly question: string }
  | { readonly kind: 'hub-refused'; readonly message: string }

export interface Blocked extends Common {
  readonly state: 'blocked'
  readonly was: Unfinished
  readonly reason: BlockReason
  /** What a person does to get it going again. */
  readonly unblocks: string
}

export interface Abandoned extends Common {
  readonly state: 'abandoned'
  readonly was: Unfinished
  readonly because: string
}

export const isFinished = (task: Task): task is Landed | Abandoned =>
  task.state === 'landed' || task.state === 'abandoned'

/** Where the work is, seen through a block: a blocked task still has the units it had. */
export const workOf = (task: Task): Unfinished | Landed =>
  task.state === 'blocked' || task.state === 'abandoned' ? task.was : task

export const unitsOf = (task: Task): readonly UnitProgress[] => {
  const work = workOf(task)
  return 'units' in work ? work.units : []
}

/** The commit that the next turn builds on: the last checkpoint, or the base. */
export const tipOf = (task: Task): CommitSha =>
  unitsOf(task).findLast((progress) => progress.status === 'checkpointed')?.checkpoint.commit ?? task.base

/** Units whose review still has to be given, in the order of the plan. */
export const unitsToReview = (task: Reviewing): readonly CheckpointedUnit[] => {
  if (!task.rules.unitReview) return []
  const revised = new Set(task.units.flatMap(({ unit }) => (unit.revises === null ? [] : [unit.revises])))
  return task.units.filter(({ unit }) => task.reviews[unit.id]?.kind !== 'accepted' && !revised.has(unit.id))
}
