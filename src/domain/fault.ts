import { redact } from './redact.ts'

/**
 * A **Fault** is what really went wrong: something outside did not do its part. Adapters classify once, where it
 * happens; nobody later reads a message's text. Expected outcomes (a failed gate, a stale branch, a refusal) are values.
 */
export const faultCodes = [
  'agent-missing', // the agent's program is not there
  'agent-not-acp', // it started and speaks something else
  'agent-vanished', // it exited or was killed while it was working
  'agent-timeout', // it did not finish within its limit
  'agent-flood', // it printed more than its limit
  'agent-refused', // it answered a request with an error
  'cancelled', // a person or the system stopped it
  'command-timeout', // a command did not finish within its limit
  'command-missing', // a command is not there
  'output-limit', // a command printed more than its limit
  'command-killed', // a signal ended a command, so that its exit says nothing
  'report-unusable', // a command left no report that can be believed
  'gate-broken', // a gate threw: a bug of it
  'git-failed', // git refused or failed in a way nobody planned for
  'not-a-repository',
  'hub-unreachable',
  'repository-locked', // another git process holds, or left, a lock
  'disk-full',
  'database-unavailable',
  'database-corrupted',
  'database-mismatch', // its tables are not those of this version of Gaffer
  'data-folder-in-use',
  'port-taken',
  'dependencies-unavailable', // a lockfile could not be installed
  'sandbox-unavailable',
  'bad-settings', // .gaffer/gaffer.yaml cannot be used
  'bad-input',
  'signing-failed',
  'server-unreachable',
  'bug', // ours: something was thrown that nobody planned for
] as const
export type FaultCode = (typeof faultCodes)[number]

export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  /** What a person does about it: an imperative sentence. */
  readonly hint: string
  /** Whether the same call may succeed later with nothing changed. */
  readonly retryable: boolean

  constructor(code: FaultCode, message: string, more: { hint: string; retryable?: boolean; cause?: unknown }) {
    super(redact(message), more.cause === undefined ? undefined : { cause: more.cause })
    this.code = code
    this.hint = redact(more.hint)
    this.retryable = more.retryable ?? false
  }

  /** Plain data, for events and answers; survives a database and a process border. */
  toJSON(): FaultRecord {
    return { code: this.code, message: this.message, hint: this.hint, retryable: this.retryable }
  }
}

export interface FaultRecord {
  readonly code: FaultCode
  readonly message: string
  readonly hint: string
  readonly retryable: boolean
}

/** A rule said no. Not a failure of anything: what was asked, why not, and what to do instead. */
export interface Refusal {
  readonly kind: 'refused'
  readonly what: string
  readonly why: string
  readonly todo: string
}

export const refuse = (what: string, why: string, todo: string): Refusal => ({ kind: 'refused', what, why, todo })
