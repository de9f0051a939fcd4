import { copyFileSync, statSync, utimesSync } from 'node:fs'

/**
 * Copies a git index, when there is one. Git trusts a file's times only when they are older than the index, so the
 * copy must never look younger than the original: whole seconds, rounded down.
 */
export function copyIndex(from: string, to: string): void {
  const original = statSync(from, { throwIfNoEntry: false })
  if (original === undefined) return
  copyFileSync(from, to)
  const seconds = Math.floor(original.mtimeMs / 1_000)
  utimesSync(to, seconds, seconds)
}
