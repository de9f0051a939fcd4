import { Fault } from '../domain/fault.ts'

/** Exit codes, documented in docs/cli.md: 0 done, 1 refused, 2 used wrongly, 3 something of ours went wrong. */
export type ExitCode = 0 | 1 | 2 | 3

/** Ends a command: what did not happen, why, and what to do. */
export class Stop extends Error {
  readonly exit: Exclude<ExitCode, 0>
  readonly why: string
  readonly todo: string
  /** Lines below it: the errors of a brief, one by one. */
  readonly details: readonly string[]
  readonly type: string

  constructor(
    exit: Exclude<ExitCode, 0>,
    what: string,
    more: { why: string; todo: string; details?: readonly string[]; type?: string },
  ) {
    super(what)
    this.exit = exit
    this.why = more.why
    this.todo = more.todo
    this.details = more.details ?? []
    this.type = more.type ?? ['', 'refused', 'usage', 'fault'][exit] ?? 'fault'
  }
}

export const refusal = (what: string, why: string, todo: string): Stop => new Stop(1, what, { why, todo })
export const usage = (what: string, why: string, todo: string): Stop => new Stop(2, what, { why, todo })

/** Faults that the person who typed can mend are no faults of ours. */
const exitOfFault = (fault: Fault): 1 | 2 | 3 => {
  if (fault.code === 'bad-input') return 2
  return fault.code === 'bad-settings' || fault.code === 'not-a-repository' ? 1 : 3
}

/** What any error means for the one who typed; anything unplanned is a bug and says so. */
export function stopOf(error: unknown): Stop {
  if (error instanceof Stop) return error
  if (error instanceof Fault) {
    const why = error.cause instanceof Error && error.cause.message !== error.message ? error.cause.message : ''
    return new Stop(exitOfFault(error), error.message, { why, todo: error.hint, type: error.code })
  }
  const bug = error instanceof Error ? error : new Error(String(error))
  return new Stop(3, 'Gaffer made a mistake', {
    why: bug.message,
    todo: 'report it, with the lines below',
    details: (bug.stack ?? '')
      .split('\n')
      .slice(1, 8)
      .map((line) => line.trim()),
    type: 'bug',
  })
}
