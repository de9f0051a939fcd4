import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { commitSha, type CommitSha } from '../../domain/ids.ts'
import { lastLines } from '../../process/run.ts'
import { unreachable } from './hub.ts'
import type { ObjectReader } from './object-reader.ts'
import { tryGit, type Place } from './run-git.ts'
import type { Store } from './store.ts'

/** Where a hub's ref stands in the store; undefined for refs that are not brought over. */
export const kept = (ref: string): string | undefined =>
  /^refs\/(?:heads|gaffer)\/./.test(ref) ? ref.replace(/^refs\//, 'refs/hub/') : undefined

export async function headInStore(reader: ObjectReader, ref: string): Promise<CommitSha | undefined> {
  const place = kept(ref)
  return place === undefined ? undefined : commitAt(reader, place)
}

async function commitAt(reader: ObjectReader, revision: string): Promise<CommitSha | undefined> {
  const found = await reader.look(`${revision}^{commit}`)
  return found?.kind === 'commit' ? commitSha(found.sha) : undefined
}

/** A revision as people write it about the hub: branches first, then ids, each with any `~1` and `^2` behind it. */
export async function resolveInStore(
  store: Store,
  reader: ObjectReader,
  revision: string,
): Promise<CommitSha | undefined> {
  const match = /^([^~^:@{}\s*?[\\]+|@)((?:~\d*|\^\d*|\^\{(?:commit)?\})*)$/.exec(revision)
  const [, name, steps] = match ?? []
  if (name === undefined || name.startsWith('-')) return undefined
  for (const candidate of await meanings(store, name === '@' ? 'HEAD' : name)) {
    const found = await commitAt(reader, `${candidate}${steps ?? ''}`)
    if (found !== undefined) return found
  }
  return undefined
}

async function meanings(store: Store, name: string): Promise<readonly string[]> {
  if (name === 'HEAD') {
    const head = await headOfHub(store)
    return head === undefined ? [] : [head]
  }
  const full = kept(name)
  const ids = /^[0-9a-f]{4,64}$/.test(name) ? [name] : []
  return full === undefined ? [`refs/hub/heads/${name}`, ...ids] : [full]
}

/** What HEAD of the hub is: a branch, by its place in the store, or an id. */
async function headOfHub({ hub, outward }: Store): Promise<string | undefined> {
  if (hub.kind === 'local') {
    const text = await readFile(join(hub.folder.path, 'HEAD'), 'utf8').catch(() => '')
    const branch = /^ref: *(refs\/heads\/[^\s]+)/.exec(text)?.[1]
    return branch === undefined ? /^[0-9a-f]{40,64}$/m.exec(text)?.[0] : kept(branch)
  }
  const ran = await tryGit(outward, ['ls-remote', '--symref', 'hub', 'HEAD'])
  if (ran.exitCode !== 0) throw unreachable(hub.url, lastLines(ran.stderr))
  const listing = ran.stdout.toString('utf8')
  const branch = /^ref: (refs\/heads\/[^\t]+)\tHEAD$/m.exec(listing)?.[1]
  return branch === undefined ? /^([0-9a-f]{40,64})\tHEAD$/m.exec(listing)?.[1] : kept(branch)
}

export type RefValues = ReadonlyMap<string, string>

/** `<id> <name>` or `<id>TAB<name>`, one a line: what for-each-ref and ls-remote print. Ref names hold no white space. */
export function parseRefs(output: string): RefValues {
  const found = output.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]{40}|[0-9a-f]{64})[ \t](refs\/\S+)$/.exec(line)
    return match?.[1] === undefined || match[2] === undefined ? [] : [[match[2], match[1]] as const]
  })
  return new Map(found)
}

const refFormat = '--format=%(objectname) %(refname)'

/** The store's copies of the hub's refs, by the names they have on the hub. */
export async function refsInStore(store: Store): Promise<RefValues> {
  const ran = await tryGit(store.place, ['for-each-ref', refFormat, 'refs/hub/'])
  const refs = parseRefs(ran.stdout.toString('utf8'))
  return new Map([...refs].map(([name, sha]) => [name.replace(/^refs\/hub\//, 'refs/'), sha]))
}

/**
 * The values of refs on the hub, asked there: the given ones, or (none given) every one that is brought over.
 * @throws Fault hub-unreachable
 */
export async function refsOnHub({ hub, outward }: Store, refs: readonly string[] = []): Promise<RefValues> {
  const wanted = refs.length === 0 ? ['refs/heads/', 'refs/gaffer/'] : refs
  const local = hub.kind === 'local'
  if (local && (await stat(hub.folder.common).catch(() => undefined)) === undefined)
    throw unreachable(hub.name, 'its folder is gone')
  const place: Place = local ? hub.folder.place : outward
  const args = local ? ['for-each-ref', refFormat, ...wanted] : ['ls-remote', 'hub', ...(refs.length === 0 ? [] : refs)]
  const ran = await tryGit(place, args)
  if (ran.exitCode !== 0) throw unreachable(hub.name, lastLines(ran.stderr) || `exit ${ran.exitCode}`)
  const found = parseRefs(ran.stdout.toString('utf8'))
  return new Map([...found].filter(([name]) => (refs.length === 0 ? kept(name) !== undefined : refs.includes(name))))
}

export const sameRefs = (a: RefValues, b: RefValues): boolean =>
  a.size === b.size && [...a].every(([name, sha]) => b.get(name) === sha)
