import { setTimeout as pause } from 'node:timers/promises'
import { send } from './end-group.ts'
import { environmentOf, listProcesses, processIds } from './proc.ts'

/**
 * Every process we mark carries this variable; its children inherit it, wherever they go (`setsid`, double fork).
 * One that wipes its own environment and its ancestry gets away: only a sandbox with its own pid namespace stops that.
 */
export const markVariable = 'GAFFER_SESSION'

/** Processes whose mark starts with `mark`, and not with `spared`. Linux only; elsewhere none are found. */
export const findLeftovers = (mark: string, spared?: string): readonly number[] =>
  processIds().filter((pid) => {
    if (pid === process.pid) return false
    const environment = `\0${environmentOf(pid)}`
    const carries = (prefix: string): boolean => environment.includes(`\0${markVariable}=${prefix}`)
    return carries(mark) && !(spared !== undefined && carries(spared))
  })

/** Living descendants of a process, at any depth, whatever group or session they moved to. */
export function findDescendants(root: number): readonly number[] {
  const processes = listProcesses()
  const found = new Set([root])
  for (let before = 0; before < found.size;) {
    before = found.size
    for (const { pid, parent } of processes) if (found.has(parent)) found.add(pid)
  }
  found.delete(root)
  return [...found]
}

/**
 * Kills what is left of a marked session, again and again until nothing is found (a fork bomb races us), for at most
 * two seconds. `also` are process ids known from before; what carries `spared` lives. Never throws; safe to repeat.
 */
export async function endLeftovers(
  mark: string,
  { also = [], spared }: { readonly also?: readonly number[]; readonly spared?: string } = {},
): Promise<void> {
  for (const pid of also) send(pid, 'SIGKILL')
  const deadline = performance.now() + 2_000
  for (;;) {
    const left = findLeftovers(mark, spared)
    for (const pid of left) send(pid, 'SIGKILL')
    if (left.length === 0 || performance.now() > deadline) return
    await pause(5)
  }
}
