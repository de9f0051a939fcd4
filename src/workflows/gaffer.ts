import type { Actor } from '../domain/actor.ts'
import type { BriefProblem } from '../domain/brief.ts'
import type { Refusal } from '../domain/fault.ts'
import type { CommitSha, Email, TaskId, UnitId } from '../domain/ids.ts'
import type { Task, TaskState } from '../domain/task/task.ts'
import type { StoredEvent } from '../ports/store.ts'

/**
 * Everything a surface (HTTP, MCP) can ask of Gaffer. The command line goes through HTTP. Methods throw only Fault;
 * what a rule forbids is a Refusal.
 */
export interface Gaffer {
  /** Checks the brief, opens the task and starts its delivery. */
  delegate(request: DelegateRequest): Promise<Delegated>
  tasks(query: TaskQuery): Promise<TaskPage>
  task(id: TaskId): Promise<TaskView | undefined>
  /** The task's events, oldest first. */
  log(id: TaskId, after?: number): Promise<readonly StoredEvent[]>
  /** Sessions of a task's agents: stream names to read with `transcript`. */
  sessions(id: TaskId): Promise<readonly string[]>
  transcript(session: string): Promise<readonly StoredEvent[]>
  /** Task events of one task (null: of all) as they happen, after a position (null: from now on). */
  follow(id: TaskId | null, after: number | null, signal: AbortSignal): AsyncIterable<StoredEvent>

  approvePlan(id: TaskId, actor: Actor): Promise<Outcome>
  sendPlanBack(id: TaskId, note: string, actor: Actor): Promise<Outcome>
  /** `unit` null: every unit that still waits. */
  acceptUnit(id: TaskId, unit: UnitId | null, actor: Actor): Promise<Outcome>
  requestChanges(id: TaskId, unit: UnitId, reason: string, actor: Actor): Promise<Outcome>
  sign(
    id: TaskId,
    signature: { readonly candidate: CommitSha; readonly armoured: string },
    actor: Actor,
  ): Promise<Outcome>
  answer(id: TaskId, text: string | null, actor: Actor): Promise<Outcome>
  /** Tries a landing again that a person had to make room for. */
  land(id: TaskId, actor: Actor): Promise<Outcome>
  abandon(id: TaskId, because: string, actor: Actor): Promise<Outcome>
  /** Unified diff of a unit, or of the whole change when `unit` is null. */
  patch(id: TaskId, unit: UnitId | null): Promise<string | undefined>
}

export interface DelegateRequest {
  /** The brief's file as it is. */
  readonly brief: string
  /** Absolute path or URL of the repository to deliver into. */
  readonly hub: string
  /** Instead of the brief's own. */
  readonly agent: string | null
  readonly owner: Email | null
  readonly actor: Actor
  /** Makes it safe to repeat: the same key opens one task. */
  readonly key: string
}
export type Delegated =
  | { readonly kind: 'opened'; readonly task: TaskId; readonly problems: readonly BriefProblem[] }
  | { readonly kind: 'brief-refused'; readonly problems: readonly BriefProblem[] }
  | Refusal

export type { BriefProblem }

export type Outcome = { readonly kind: 'done'; readonly task: Task } | Refusal

export interface TaskQuery {
  readonly state: TaskState | null
  readonly after: string | null
  readonly limit: number
}
export interface TaskPage {
  readonly rows: readonly TaskRow[]
  readonly next: string | null
  /** True counts of all tasks, by state. */
  readonly counts: Readonly<Record<TaskState, number>>
}
export interface TaskRow {
  readonly id: TaskId
  readonly title: string
  readonly state: TaskState
  readonly owner: Email
  readonly agent: string
  readonly unitsDone: number
  readonly unitsTotal: number
  readonly waitsFor: string | null
  readonly openedAt: string
  readonly changedAt: string
}
export interface TaskView {
  readonly row: TaskRow
  readonly task: Task
  readonly version: number
}
