import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../../domain/fault.ts'

/** Git locks a file by making `<file>.lock` beside it; a killed git leaves that behind. */
export async function findLocks(gitFolder: string, refs: readonly string[] = []): Promise<readonly string[]> {
  const names = ['index', 'HEAD', 'packed-refs', 'shallow', 'config', ...refs]
  const places = names.map((name) => join(gitFolder, `${name}.lock`))
  const there = await Promise.all(places.map((place) => stat(place).catch(() => undefined)))
  return places.filter((_, index) => there[index] !== undefined)
}

/**
 * Removes the locks of our own store that nobody can be holding any more: git holds one for milliseconds.
 * Says whether any lock, young or old, was there: then trying again is worth while.
 */
export async function removeStaleLocks(store: string, olderThanMs = 3_000): Promise<boolean> {
  const below = await readdir(join(store, 'refs'), { recursive: true, withFileTypes: true }).catch(() => [])
  const ofRefs = below
    .filter(({ name }) => name.endsWith('.lock'))
    .map(({ parentPath, name }) => join(parentPath, name))
  const locks = [...(await findLocks(store)), ...ofRefs]
  for (const lock of locks) {
    const found = await stat(lock).catch(() => undefined)
    if (found !== undefined && Date.now() - found.mtimeMs > olderThanMs) await rm(lock, { force: true })
  }
  return locks.length > 0
}

/** Waits until nobody holds our own index, or whoever held it must be dead. */
export async function awaitIndex(index: string): Promise<void> {
  const lock = `${index}.lock`
  for (;;) {
    const found = await stat(lock).catch(() => undefined)
    if (found === undefined) return
    if (Date.now() - found.mtimeMs > 3_000) await rm(lock, { force: true })
    else await pause(50)
  }
}

export const locked = (lock: string): Fault =>
  new Fault('repository-locked', `the repository is locked: ${lock} is there`, {
    hint: `let the git command that runs there finish (an editor may be open); when none runs, remove ${lock}`,
    retryable: true,
  })
