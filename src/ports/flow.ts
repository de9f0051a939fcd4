/**
 * Durable execution, as a workflow sees it. A workflow is replayed from its beginning after a crash: what happens
 * outside a step must be the same each time. Steps run at least once, so their effects must be safe to repeat.
 */
export interface Flow {
  /** The workflow's id; stable over restarts. */
  readonly id: string
  /** Runs once and remembers the answer (JSON). A throw is not remembered: after a restart the step runs again. */
  step<T>(name: string, run: () => Promise<T>): Promise<T>
  /** Waits for somebody to `wake` this workflow, for at most so long. Holds no worker slot. */
  nap(limitMs: number): Promise<void>
  /** Runs another registered workflow to its end as a child, in a queue; the id makes it safe to repeat. */
  child<T>(
    workflow: string,
    input: { readonly id: string; readonly queue: string; readonly argument: string },
  ): Promise<T>
}

/** Starting, waking and cancelling workflows, from anywhere. */
export interface Flows {
  /** Safe to repeat: an id starts once. */
  start(
    workflow: string,
    input: { readonly id: string; readonly queue: string; readonly argument: string },
  ): Promise<void>
  wake(id: string): Promise<void>
  cancel(id: string): Promise<void>
}
