import { createHash, randomUUID } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../domain/fault.ts'
import { ensureDataFolder } from './data-folder.ts'

/**
 * One `gaffer up` per data folder. A claim is a file that names its holder, process and start; one whose holder is gone,
 * or is another program by now, holds nothing.
 *
 * Invariants:
 *  F1  a claim appears whole: it is written beside its place and linked there, which fails when there is one.
 *  F2  a dead holder's claim is removed only by who holds the right to it (a claim of its own), and only if it is still
 *      that holder's: nobody removes the claim of somebody who came in between.
 *
 * @returns what gives the folder back; safe to repeat
 * @throws Fault data-folder-in-use, bad-input
 */
export async function claimFolder(data: string): Promise<() => Promise<void>> {
  const file = join(data, 'up.pid')
  try {
    await ensureDataFolder(data)
    const taken = await take(file, `${process.pid} ${await startTime(process.pid)}\n`)
    if (taken.kind === 'taken') {
      let isMine = true
      return async () => {
        if (isMine) await rm(file, { force: true })
        isMine = false // by now it may be somebody else's
      }
    }
    throw new Fault('data-folder-in-use', `a Gaffer runs on ${data} already (process ${taken.pid})`, {
      hint: 'use that one (`gaffer status`), stop it, or name another folder with `--data DIR`',
    })
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault('bad-input', `the data folder ${data} cannot be written`, {
      hint: 'name one that you may write with `--data DIR`',
      cause: error,
    })
  }
}

type Taken = { readonly kind: 'taken' } | { readonly kind: 'held'; readonly pid: number }

async function take(file: string, me: string): Promise<Taken> {
  for (;;) {
    if (await isPlaced(file, me)) return { kind: 'taken' }
    const holder = await holderOf(file)
    if (holder === undefined) continue
    const [pid = '', started = ''] = holder.trim().split(' ')
    if (pid !== '' && started !== '' && (await startTime(Number(pid))) === started)
      return { kind: 'held', pid: Number(pid) }

    const right = `${file}.${createHash('sha256').update(holder).digest('hex').slice(0, 16)}`
    if ((await take(right, me)).kind === 'held') {
      await pause(10) // who holds it is removing the dead one's claim this moment
      continue
    }
    try {
      if ((await holderOf(file)) === holder) await rm(file, { force: true }) // F2
    } finally {
      await rm(right, { force: true })
    }
  }
}

/** F1 */
async function isPlaced(file: string, content: string): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`
  try {
    await writeFile(draft, content, { flag: 'wx', mode: 0o600 })
    await link(draft, file)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/** What a claim says; undefined when there is none any more. */
async function holderOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

/** When a process started, in the kernel's ticks: tells a process from a later one with its number. 'unknown' elsewhere. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown'
  if (process.platform === 'linux') return 'gone'
  try {
    process.kill(pid, 0)
    return 'unknown'
  } catch {
    return 'gone'
  }
}
