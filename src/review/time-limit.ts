import { Fault } from '../domain/fault.ts'

/** How long a gate may take. Waiting for something that all gates share is not its own time. */
export interface TimeLimit {
  /** Rejects once the time is up, a little later than `leftMs` says, so that a command can tell its last words. */
  readonly isUp: Promise<never>
  leftMs(): number
  /** Waits with the watch stopped. */
  outside<T>(waiting: Promise<T>): Promise<T>
  end(): void
}

const graceMs = (limitMs: number): number => Math.min(5_000, limitMs)

export function timeLimit(limitMs: number, gate: string): TimeLimit {
  const { promise: isUp, reject } = Promise.withResolvers<never>()
  isUp.catch(() => undefined) // nobody may be listening
  let left = limitMs
  let since = performance.now()
  let ended = false
  let timer = start()

  function start(): NodeJS.Timeout | undefined {
    since = performance.now()
    return ended ? undefined : setTimeout(() => reject(late(gate, limitMs)), left + graceMs(limitMs))
  }
  const leftMs = (): number => Math.max(1, Math.round(left - (performance.now() - since)))

  return {
    isUp,
    leftMs,
    async outside(waiting) {
      clearTimeout(timer)
      left = leftMs()
      try {
        return await waiting
      } finally {
        timer = start()
      }
    },
    end() {
      ended = true
      clearTimeout(timer)
    },
  }
}

const late = (gate: string, limitMs: number): Fault =>
  new Fault('command-timeout', `the gate ${gate} did not finish within ${limitMs / 1_000} s`, {
    hint: 'find out what takes so long, or raise limits.gateSeconds in .gaffer/gaffer.yaml',
    retryable: true,
  })
