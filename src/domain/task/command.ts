import type { Actor } from '../actor.ts'
import type { CommitSha, TreeSha, UnitId } from '../ids.ts'
import type { Answers, Plan } from '../plan.ts'
import type { GateResult } from '../verdict.ts'
import type { Attempt, BlockReason, Candidate, Common, WorkspaceProblem } from './task.ts'

/** What somebody wants of a task. `actor` is who; rules about who may do what are in decide.ts. */
export type TaskCommand = { readonly actor: Actor } & (
  | ({ readonly type: 'draft' } & Omit<Common, 'delegatedBy'>)
  | { readonly type: 'propose-plan'; readonly plan: Plan }
  | { readonly type: 'approve-plan' }
  | { readonly type: 'send-plan-back'; readonly note: string }
  | { readonly type: 'start-unit'; readonly unit: UnitId }
  /** `round` is the number the caller means; results are the gates' word on `tree`. */
  | {
      readonly type: 'judge-round'
      readonly unit: UnitId
      readonly round: number
      readonly tree: TreeSha
      readonly results: readonly GateResult[]
      /** What the host found in the workspace that cannot be in a tree. */
      readonly problems?: readonly WorkspaceProblem[]
    }
  | {
      readonly type: 'checkpoint'
      readonly unit: UnitId
      readonly commit: CommitSha
      readonly tree: TreeSha
      readonly results: readonly GateResult[]
      readonly answers: Answers | null
    }
  | { readonly type: 'accept-unit'; readonly unit: UnitId }
  | { readonly type: 'request-changes'; readonly unit: UnitId; readonly reason: string }
  | { readonly type: 'prepare-candidate'; readonly candidate: Candidate }
  /** Whether the signature verifies was established by the caller; that it is the owner's is decided here. */
  | { readonly type: 'sign'; readonly candidate: CommitSha; readonly armoured: string }
  | { readonly type: 'start-landing'; readonly attempt: Attempt }
  /** The hub turned it away for certain: nothing of it is on the branch. */
  | { readonly type: 'stop-landing' }
  | { readonly type: 'withdraw-candidate'; readonly because: string }
  | { readonly type: 'finish-landing'; readonly commit: CommitSha }
  | { readonly type: 'block'; readonly reason: BlockReason; readonly unblocks: string }
  | { readonly type: 'unblock'; readonly guidance: string | null }
  | { readonly type: 'abandon'; readonly because: string }
)
export type TaskCommandOf<Type extends TaskCommand['type']> = Extract<TaskCommand, { type: Type }>
