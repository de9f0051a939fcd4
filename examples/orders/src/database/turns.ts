import { monotonicMs } from './protocol.ts'

/**
 * One holder at a time, in the order of asking.
 *
 * 1. Whoever has taken the turn gives it back exactly once, also when its work failed.
 * 2. A wait that ended at its deadline never gets the turn afterwards.
 */
export class Turns {
  #taken = false
  readonly #waiting = new Set<() => void>()

  /** Resolves when it is the caller's turn; rejects with `late` when that is not before the deadline. */
  take(deadlineMs: number, late: Error): Promise<void> {
    if (!this.#taken) {
      this.#taken = true
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(begin)
        reject(late)
      }, deadlineMs - monotonicMs())
      this.#waiting.add(begin)
    })
  }

  give(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#taken = false
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
