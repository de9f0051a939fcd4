import { chmod, lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Removes a file or folder, whatever its permissions; symlinks are removed and not followed. Safe to repeat. */
export async function removeAll(path: string | Buffer): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    if (!isDenied(error) || typeof path !== 'string') throw error
    await openUp(path)
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

const isDenied = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'ENOTEMPTY')

/** Lets us into every folder below: an agent can take away its own folders' permissions. */
async function openUp(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return
  await chmod(path, 0o700)
  for (const entry of await readdir(path, { withFileTypes: true }))
    if (entry.isDirectory()) await openUp(join(path, entry.name))
}
