import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { isAlive } from '../postgres/cluster.ts'

/**
 * Names an executor so that another process of the same machine can tell whether it still runs:
 * `<machine>-<pid>-<start of the process>-<chance>`. Unique for each process and each start within it.
 */
export const newExecutorId = (): string =>
  [machine(), process.pid, look(process.pid)?.start ?? 0, randomBytes(4).toString('hex')].join('-')

/** True when that process is surely gone; false when it runs, or when nobody here can tell. */
export function isSurelyGone(executorId: string): boolean {
  const [where, pid, start] = executorId.split('-')
  if (where !== machine() || pid === undefined || !/^\d+$/.test(pid)) return false
  if (!isAlive(Number(pid))) return true
  const now = look(Number(pid))
  if (now === undefined) return false
  // Dead and not yet collected by its parent, or the number belongs to another process by now.
  return now.state === 'Z' || now.start !== start
}

/** Everything that gives a process number its meaning: this boot of this machine, and this container. */
function machine(): string {
  const parts = [
    hostname(),
    tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    tryRead(() => readlinkSync('/proc/self/ns/pid')),
  ]
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12)
}

/** State and start (clock ticks from boot): fields 3 and 22 of proc(5) stat, whose field 2 may hold spaces. */
function look(pid: number): { state: string; start: string } | undefined {
  const fields = tryRead(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
    ?.split(') ')
    .at(-1)
    ?.split(' ')
  return fields === undefined ? undefined : { state: fields[0] ?? '', start: fields[19] ?? '' }
}

function tryRead(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
