import type { Actor } from '../domain/actor.ts'
import type { Digest } from '../domain/ids.ts'
import type { Json } from '../domain/json.ts'

/**
 * Append-only streams of events. Versions count from 1 with no gaps; each event's hash covers the one before it, so
 * that a stream edited behind our back is found.
 */
export interface EventStore {
  /** All events of a stream, oldest first; empty for an unknown one. Hashes are checked by `audit`, not here. */
  read(stream: string, after?: number): Promise<readonly StoredEvent[]>
  /**
   * Appends when the stream's version is `expected` (0: new). `commandId` makes it safe to repeat: when the stream
   * holds events of that command already, nothing is written and they are returned.
   */
  append(stream: string, expected: number, batch: EventBatch): Promise<Appended>
  /** Recomputes every hash of a stream. */
  audit(stream: string): Promise<Audit>
  /** Names of streams with a prefix, in order of name. */
  streams(prefix: string): Promise<readonly string[]>
}

export interface EventBatch {
  readonly commandId: string
  readonly actor: Actor
  readonly events: readonly Json[]
  /** ISO 8601 with milliseconds, UTC. */
  readonly at: string
  /** Workflows to wake once this is written: with the events or not at all, a crash in between included. */
  readonly wake?: readonly string[]
}

export interface StoredEvent {
  /** Place in the order of all events of all streams; grows, with gaps. */
  readonly position: number
  readonly stream: string
  readonly version: number
  readonly event: Json
  readonly actor: Actor
  readonly commandId: string
  readonly at: string
  readonly hash: Digest
}

export type Appended =
  | { readonly kind: 'appended'; readonly events: readonly StoredEvent[] }
  | { readonly kind: 'repeated'; readonly events: readonly StoredEvent[] }
  | { readonly kind: 'conflict'; readonly version: number }

export type Audit =
  | { readonly kind: 'intact'; readonly version: number }
  | { readonly kind: 'tampered'; readonly version: number; readonly why: string }

/** What is appended, as it is appended, by any process on the same database. */
export interface EventFeed {
  /**
   * Calls back in order for every event after `position` (null: from now on) whose stream starts with `prefix`.
   * Reconnects by itself and misses nothing; a throwing callback ends the subscription with that error on `done`.
   */
  follow(input: {
    readonly prefix: string
    readonly after: number | null
    readonly onEvent: (event: StoredEvent) => void | Promise<void>
  }): Subscription
}
export interface Subscription {
  /** Resolves once `after: null` is settled: whatever is appended from then on is seen. */
  readonly ready: Promise<void>
  readonly done: Promise<void>
  stop(): Promise<void>
}
