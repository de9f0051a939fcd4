import { isGitName } from './path-name.ts'

/** Paths here are latin1 text, one character a byte, relative to the workspace. */
type ReadLink = (path: string) => string | undefined

/** More than Linux follows; a loop leads nowhere, and so not outside. */
const maxLinks = 64

/**
 * Whether a symlink leads out of its workspace, through as many other symlinks as it takes. What does not exist is
 * taken for a plain folder, so that a link cannot become harmful later by what is put there, short of another link.
 * A link into the workspace's own `.git` leaves it too: that is no part of a tree.
 * @param readLink the target of the symlink at a path, undefined when there is none
 */
export function leavesWorkspace(path: string, readLink: ReadLink): boolean {
  const target = readLink(path)
  if (target === undefined) return false
  if (target.startsWith('/')) return true
  const place = path.split('/').slice(0, -1)
  const ahead = target.split('/').toReversed()
  for (let followed = 1; ;) {
    const name = ahead.pop()
    if (name === undefined) return false
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (place.pop() === undefined) return true
      continue
    }
    if (isGitName(Buffer.from(name, 'latin1'))) return true
    place.push(name)
    const next = readLink(place.join('/'))
    if (next === undefined) continue
    if (next.startsWith('/')) return true
    if (++followed > maxLinks) return false
    place.pop()
    ahead.push(...next.split('/').toReversed())
  }
}
