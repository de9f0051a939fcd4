import type { FaultRecord } from '../domain/fault.ts'
import type { Confinement } from './sandbox.ts'

/**
 * A coding agent, spoken to over ACP. What it says about its own work is a hint; git is the truth. An adapter starts
 * the process in its own process group and ends the whole group on `close`, cancel, time-out or its own exit.
 */
export interface Agents {
  /**
   * Starts the agent and opens one session in `workspace`.
   * @throws Fault agent-missing, agent-not-acp, agent-vanished, agent-timeout, agent-flood, agent-refused,
   * sandbox-unavailable, cancelled
   */
  open(request: SessionRequest): Promise<AgentSession>
}

export interface AgentCommand {
  readonly name: string
  /** Program and arguments. */
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly model: string | null
}

export interface SessionRequest {
  readonly agent: AgentCommand
  /** Absolute path; the only folder the agent may write, and with `readOnly` not even that. */
  readonly workspace: string
  /** Absolute path of this session's own home folder. */
  readonly home: string
  readonly readOnly: boolean
  readonly confinement: Confinement
  readonly limits: { readonly startMs: number; readonly outputBytes: number }
  /** Gives up the start, and ends what was started; a turn has a signal of its own. */
  readonly signal?: AbortSignal
  /** Answers the agent's permission requests. Absent: nothing is allowed. */
  readonly decide?: (request: PermissionRequest) => Promise<'allow' | 'deny'>
  /** Called in order with everything the agent does; prompts and faults are the caller's to record. Must not throw. */
  readonly record?: (entry: SessionEntry) => void
}

export interface AgentSession {
  /** The agent's own name for itself and its session, for the record only. */
  readonly id: string
  /**
   * One turn: ends when the agent says its turn has ended. Not repeatable: a turn has effects on the workspace.
   * @throws Fault agent-timeout, agent-vanished, agent-flood, agent-refused, cancelled
   */
  prompt(text: string, options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<Turn>
  /** Cancels what runs, then ends the whole process group. Safe to repeat; never throws. */
  close(): Promise<void>
}

export interface Turn {
  readonly stop: 'end-turn' | 'cancelled' | 'refusal' | 'limit'
  /** What the agent said, joined; at most the output limit. */
  readonly said: string
  /** Tokens as the agent reported them, or null: never zero for unknown. */
  readonly usage: { readonly inputTokens: number | null; readonly outputTokens: number | null } | null
}

export interface PermissionRequest {
  readonly title: string
  readonly kind: string
  readonly paths: readonly string[]
}

/** One entry of a session's record, in the order it happened. */
export type SessionEntry =
  | { readonly kind: 'prompt'; readonly text: string }
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'thought'; readonly text: string }
  | {
      readonly kind: 'tool'
      readonly id: string
      readonly title: string
      readonly status: string
      readonly detail: string | null
    }
  | { readonly kind: 'permission'; readonly title: string; readonly decision: 'allow' | 'deny' }
  | { readonly kind: 'plan'; readonly text: string }
  | { readonly kind: 'stderr'; readonly text: string }
  | { readonly kind: 'turn-ended'; readonly stop: Turn['stop'] }
  /** What the turn changed, as the host found it: text files whole, null for a removed one; others only named. */
  | {
      readonly kind: 'changed'
      readonly files: readonly { readonly path: string; readonly content: string | null }[]
      readonly omitted: readonly string[]
    }
  | { readonly kind: 'fault'; readonly fault: FaultRecord }
