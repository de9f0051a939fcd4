import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Up, UpOptions } from '../cli/wiring.ts'
import { Fault } from '../domain/fault.ts'
import { announce, openToken, withdraw } from '../http/announce.ts'
import { createApp } from '../http/app.ts'
import { createPageKeys } from '../http/page-keys.ts'
import { serve } from '../http/serve.ts'
import { openLog } from './log.ts'
import { version } from './program.ts'
import { startWorks, type Around } from './start-works.ts'

/** Database, worker and server in one process; one per data folder. */
export async function up({ data, port }: UpOptions, around: Around = {}): Promise<Up> {
  const release = await claim(data)
  const log = openLog(data)
  const closing = new AbortController()
  const closers: (() => Promise<void>)[] = [release]
  const stopAll = async (): Promise<void> => {
    closing.abort()
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
  }
  const { promise: stopped, resolve: ended } = Promise.withResolvers<void>()
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= stopAll().finally(ended))

  try {
    const works = await startWorks({ data, log: log.engine, around })
    closers.push(() => works.stop())
    const { token, tokenFile } = await openToken(data)
    const pageKeys = createPageKeys(token)
    const app = createApp({
      gaffer: works.gaffer,
      token,
      pageKeys,
      version: await version(),
      closing: closing.signal,
      onBug: log.bug,
    })
    const served = await serve(app, port)
    closers.push(() => served.close())
    await announce(data, { url: served.url, pid: process.pid, tokenFile })
    closers.push(() => withdraw(data, process.pid))
    return { url: served.url, pageUrl: `${served.url}/?key=${pageKeys.issue()}`, stopped, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * One `gaffer up` per data folder. The file names the process that holds it; one that is gone, or that is another
 * program by now, holds nothing.
 * @throws Fault data-folder-in-use
 */
async function claim(data: string): Promise<() => Promise<void>> {
  await mkdir(data, { recursive: true, mode: 0o700 })
  const file = join(data, 'up.pid')
  for (;;) {
    try {
      const handle = await open(file, 'wx', 0o600)
      await handle.writeFile(`${process.pid} ${await startTime(process.pid)}\n`)
      await handle.close()
      return () => rm(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw new Fault('bad-input', `the data folder ${data} cannot be written`, {
          hint: 'name one that you may write with `--data DIR`',
          cause: error,
        })
    }
    const [pid = '', started = ''] = (await readFile(file, 'utf8').catch(() => '')).trim().split(' ')
    if (pid !== '' && started !== '' && (await startTime(Number(pid))) === started)
      throw new Fault('data-folder-in-use', `a Gaffer runs on ${data} already (process ${pid})`, {
        hint: 'use that one (`gaffer status`), stop it, or name another folder with `--data DIR`',
      })
    await rm(file, { force: true })
  }
}

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
