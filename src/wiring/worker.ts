import type { Running } from '../cli/wiring.ts'
import { openLog } from './log.ts'
import { startWorks } from './start-works.ts'

/** A worker beside a `gaffer up`, on the same database. */
export async function worker({ data }: { readonly data: string }): Promise<Running> {
  const works = await startWorks({ data, log: openLog(data).engine })
  const { promise: stopped, resolve: ended } = Promise.withResolvers<void>()
  let stopping: Promise<void> | undefined
  return { stopped, stop: () => (stopping ??= works.stop().finally(ended)) }
}
