import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Fault } from '../../domain/fault.ts'
import { findGitFolder, type GitFolder } from './git-folder.ts'
import type { ObjectFormat } from './objects.ts'

/** A hub as its name says where it is. */
export type HubName =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'remote'; readonly url: string }

/** A hub that was found. */
export type Hub =
  | { readonly kind: 'local'; readonly name: string; readonly folder: GitFolder }
  | { readonly kind: 'remote'; readonly name: string; readonly url: string }

/**
 * Reads a hub's name: an absolute path, `file://`, or what git reaches over ssh, https, http or git.
 * @throws Fault not-a-repository for a relative path, bad-input for a URL with a password in it
 */
export function parseHub(hub: string): HubName {
  if (/\p{Cc}/u.test(hub)) throw notARepository(hub, 'give an absolute path or a URL with no control characters')
  if (hub.startsWith('/')) return { kind: 'local', path: hub }
  if (/^file:\/\//i.test(hub)) return { kind: 'local', path: pathOfUrl(hub) }
  if (/^(?:https?|ssh|git|git\+ssh):\/\//i.test(hub)) return { kind: 'remote', url: withoutSecrets(hub) }
  // scp's way: host:path. One letter is a drive, and two colons name a program to run.
  if (/^(?:\w[\w.-]*@)?\w[\w.-]+:(?!\/\/|:).+/.test(hub)) return { kind: 'remote', url: hub }
  throw notARepository(hub, 'give an absolute path (starting with /) or a URL')
}

function pathOfUrl(hub: string): string {
  try {
    return fileURLToPath(hub)
  } catch (cause) {
    throw notARepository(hub, 'write the URL as file:///absolute/path', cause)
  }
}

/** A hub's name is kept in events and on the task: a secret must not get that far. */
function withoutSecrets(hub: string): string {
  const url = URL.parse(hub)
  if (url === null || url.hostname === '') throw notARepository(hub, 'check the URL')
  const overHttp = /^https?:$/.test(url.protocol)
  if (url.password === '' && !(overHttp && url.username !== '')) return hub
  throw new Fault('bad-input', `the URL of the hub at ${url.hostname} has credentials in it`, {
    hint: 'give the URL without user and password, and keep them in a git credential helper or use ssh',
  })
}

/** @throws Fault not-a-repository */
export async function findHub(hub: string, base: NodeJS.ProcessEnv): Promise<Hub> {
  const name = parseHub(hub)
  if (name.kind === 'remote') return { kind: 'remote', name: hub, url: name.url }
  const found = await stat(name.path).catch(() => undefined)
  if (found?.isDirectory() !== true) throw notARepository(hub, 'there is no such folder; check the path')
  const folder = await findGitFolder(name.path, base)
  if (folder === undefined) throw notARepository(hub, `run git init there, or name a folder that is a repository`)
  return { kind: 'local', name: hub, folder }
}

/** Where a hub is, spelled one way: the same for every path and linked worktree that leads to one repository. */
export const hubKey = (hub: Hub): string =>
  createHash('sha256')
    .update(hub.kind === 'local' ? `local ${hub.folder.common}` : `remote ${hub.url.replace(/\/+$/, '')}`)
    .digest('hex')
    .slice(0, 32)

export const notARepository = (where: string, hint: string, cause?: unknown): Fault =>
  new Fault('not-a-repository', `${where.slice(0, 300)} is not a git repository`, { hint, cause })

export const unreachable = (hub: string, said: string): Fault =>
  new Fault('hub-unreachable', `the hub ${hub} does not answer: ${said}`, {
    hint: `check the address and your access with: git ls-remote ${hub}`,
    retryable: true,
  })

/** The length of a remote's ids, from what it lists; an empty one is taken for sha1. */
export const formatOfListing = (listing: string): ObjectFormat => (/^[0-9a-f]{64}\t/m.test(listing) ? 'sha256' : 'sha1')
