import { setTimeout as pause } from 'node:timers/promises'
import { listProcesses } from './proc.ts'

/**
 * Ends a process group: SIGTERM, at most `graceMs` of patience, SIGKILL. Returns when nobody of the group runs any
 * more, at the latest two seconds after the SIGKILL. Never throws; safe to repeat.
 */
export async function endGroup(group: number, graceMs: number): Promise<void> {
  if (!send(-group, 'SIGTERM')) return
  if (await untilGone(group, graceMs)) return
  send(-group, 'SIGKILL')
  await untilGone(group, 2_000)
}

/** Sends a signal (0: only asks); whether there was somebody to receive it. A negative id is a process group. */
export function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

async function untilGone(group: number, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 2, 50)) {
    if (!runs(group)) return true
    if (performance.now() >= deadline) return false
    await pause(waitMs)
  }
}

/** Zombies that nobody reaps (a container with no init) take signals for ever; they count as gone. */
function runs(group: number): boolean {
  if (!send(-group, 0)) return false
  const processes = listProcesses()
  return processes.length === 0 || processes.some((entry) => entry.group === group && !entry.zombie)
}
