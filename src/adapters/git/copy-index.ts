import { copyFile, stat, utimes } from 'node:fs/promises'

/**
 * Copies a git index; false when there is none. Git trusts a file's times only when they are older than the index, so
 * the copy must never look younger than the original: whole seconds, rounded down.
 */
export async function copyIndex(from: string, to: string): Promise<boolean> {
  const original = await stat(from).catch(() => undefined)
  if (original === undefined) return false
  await copyFile(from, to)
  const seconds = Math.floor(original.mtimeMs / 1_000)
  await utimes(to, seconds, seconds)
  return true
}
