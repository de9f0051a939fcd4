/**
 * Durable execution, as a workflow sees it. A workflow is replayed from its beginning after a crash: what happens
 * outside a step must be the same each time. Steps run at least once, so their effects must be safe to repeat.
 */
export interface Flow {
  /** The workflow's id; stable over restarts. */
  readonly id: string
  /**
   * Runs until it has answered once, and remembers the answer (JSON, or nothing). A throw is an answer too: a Fault is
   * thrown again as the same Fault (code, message, hint, retryable) when the workflow is replayed, any other error as a
   * plain Error. Only a crash before the answer is written makes the step run again. There are no retries here.
   * `signal` aborts within about a second when the workflow is cancelled.
   */
  step<T>(name: string, run: (signal: AbortSignal) => Promise<T>): Promise<T>
  /**
   * Waits for somebody to `wake` this workflow, for at most so long; a wake that came before counts. It can end with
   * nothing changed: look again. Holds no slot of a worker when the workflow's queue has no limit.
   */
  nap(limitMs: number): Promise<void>
  /**
   * Runs another registered workflow to its end as a child, in a queue; the id makes it safe to repeat. What the child
   * throws is thrown here, a Fault as a Fault.
   */
  child<T>(
    workflow: string,
    input: { readonly id: string; readonly queue: string; readonly argument: string },
  ): Promise<T>
}

/**
 * Starting, waking and cancelling workflows, from anywhere. All are safe to repeat; waking or cancelling an id that
 * never started does nothing. A cancelled workflow, and every child of it, throws from the step, nap or child it is in
 * or comes to next; every later one throws as well, so there is nothing to catch it for.
 */
export interface Flows {
  /** Safe to repeat: an id starts once. */
  start(
    workflow: string,
    input: { readonly id: string; readonly queue: string; readonly argument: string },
  ): Promise<void>
  wake(id: string): Promise<void>
  cancel(id: string): Promise<void>
}
