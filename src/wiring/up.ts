import type { Up, UpOptions } from '../cli/wiring.ts'
import { announce, openToken, withdraw } from '../http/announce.ts'
import { createApp } from '../http/app.ts'
import { createPageKeys } from '../http/page-keys.ts'
import { serve } from '../http/serve.ts'
import { claimFolder } from './claim-folder.ts'
import { openLog } from './log.ts'
import { version } from './program.ts'
import { startWorks, type Around } from './start-works.ts'

/** Database, worker and server in one process; one per data folder. */
export async function up({ data, port }: UpOptions, around: Around = {}): Promise<Up> {
  const release = await claimFolder(data)
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
      protection: works.protection,
      closing: closing.signal,
      onBug: log.bug,
    })
    const served = await serve(app, port)
    closers.push(() => served.close())
    await announce(data, { url: served.url, pid: process.pid, tokenFile })
    closers.push(() => withdraw(data, process.pid))
    const pageUrl = `${served.url}/?key=${pageKeys.issue()}`
    return { url: served.url, pageUrl, protection: works.protection, stopped, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
