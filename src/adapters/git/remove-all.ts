import { chmod, lstat, readdir, rm } from 'node:fs/promises'

/** Removes a file or folder, whatever its permissions; symlinks are removed and not followed. Safe to repeat. */
export async function removeAll(path: string | Buffer): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    if (!isDenied(error)) throw error
    await openUp(Buffer.from(path))
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

const isDenied = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'ENOTEMPTY'].includes(String(error.code))

/**
 * Lets us into every folder below: an agent can take away its own folders' permissions. What the first attempt still
 * removes meanwhile may be gone.
 */
async function openUp(path: Buffer): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isDirectory() !== true) return
  await chmod(path, 0o700).catch(() => undefined)
  const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' }).catch(() => [])
  for (const entry of entries)
    if (entry.isDirectory()) await openUp(Buffer.concat([path, Buffer.from('/'), entry.name]))
}
