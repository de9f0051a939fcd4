import { readdirSync, readFileSync } from 'node:fs'

// Read synchronously on purpose: `/proc` answers from memory, and a hundred round trips to the thread pool cost more.

/** What Linux says of a running process in `/proc/PID/stat`. */
export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly zombie: boolean
}

/** Every process of this machine (of this pid namespace); empty where there is no `/proc`. */
export const listProcesses = (): readonly ProcessEntry[] =>
  processIds()
    .map(readEntry)
    .filter((entry) => entry !== undefined)

export function processIds(): readonly number[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
  } catch {
    return []
  }
}

function readEntry(pid: number): ProcessEntry | undefined {
  const stat = readOrNothing(`/proc/${pid}/stat`)
  if (stat === '') return undefined
  // The program's name stands in parentheses and may itself hold spaces and parentheses.
  const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { pid, parent: Number(parent), group: Number(group), zombie: state === 'Z' || state === 'X' }
}

/** The environment a process was started with, a NUL after each `NAME=value`; empty for zombies and other people's. */
export const environmentOf = (pid: number): string => readOrNothing(`/proc/${pid}/environ`)

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
