import { randomBytes } from 'node:crypto'
import { link, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { WorkspacePlace } from './workspace-place.ts'

/** Makes the index of a run the one that the next run starts from (W3). */
export async function keepIndex({ about }: WorkspacePlace, index: string): Promise<void> {
  if ((await stat(index).catch(() => undefined)) === undefined) return
  const aside = join(about, `index-${randomBytes(6).toString('hex')}`)
  await link(index, aside)
  await rename(aside, join(about, 'index'))
}
