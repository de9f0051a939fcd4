import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { lastLines } from '../../process/run.ts'
import { environmentFor } from './environment.ts'
import { placeOf, writeSkeleton, type GitFolder } from './git-folder.ts'
import { formatOfListing, hubKey, unreachable, type Hub } from './hub.ts'
import type { ObjectFormat } from './objects.ts'
import { tryGit, type Place } from './run-git.ts'
import { writingFault } from './write-object.ts'

/**
 * Gaffer's own bare repository beside a hub: `<folder>/<key>.git`. It holds the hub's branches under
 * `refs/hub/heads/*` and Gaffer's refs under `refs/hub/gaffer/*`, and every object that was ever made or fetched:
 * nothing is collected. `gaffer/` in it belongs to us (workspaces' indexes), git does not look there.
 * Several processes may use one store at once: objects are added whole, refs move under git's own locks.
 */
export interface Store extends GitFolder {
  readonly hub: Hub
  /** For commands that talk to the hub. */
  readonly outward: Place
  /** Where the indexes of workspaces are kept. */
  readonly workspaces: string
}

export async function openStore(folder: string, hub: Hub, base: NodeJS.ProcessEnv): Promise<Store> {
  const path = join(folder, `${hubKey(hub)}.git`)
  const outwardEnv = environmentFor(hub.kind === 'local' ? 'hub' : 'remote', base)
  const known = await formatOfStore(path, base)
  const format = expectedFormat(hub) ?? known ?? (await askFormat(hub, folder, base))
  if (known !== format) await createStore({ folder, path, hub, format, base })
  const inward = placeOf(path, environmentFor('closed', base))
  return {
    path,
    common: path,
    objectFolder: join(path, 'objects'),
    format,
    isBare: true,
    place: inward,
    hub,
    outward: placeOf(path, outwardEnv),
    workspaces: join(path, 'gaffer/workspaces'),
  }
}

/** The object format of a store that is whole; undefined when there is none, or not enough of one. */
async function formatOfStore(path: string, base: NodeJS.ProcessEnv): Promise<ObjectFormat | undefined> {
  const parts = ['HEAD', 'config', 'objects', 'refs', 'gaffer'].map((name) => stat(join(path, name)))
  const whole = await Promise.all(parts).then(
    () => true,
    () => false,
  )
  if (!whole) return undefined
  const place = placeOf(path, environmentFor('closed', base))
  const ran = await tryGit(place, ['rev-parse', '--show-object-format'])
  if (ran.exitCode !== 0) return undefined
  return ran.stdout.toString('latin1').trim() === 'sha256' ? 'sha256' : 'sha1'
}

/** Made aside and renamed into place, so that a store is there whole or not at all. */
async function createStore(input: {
  readonly folder: string
  readonly path: string
  readonly hub: Hub
  readonly format: ObjectFormat
  readonly base: NodeJS.ProcessEnv
}): Promise<void> {
  const { folder, path, hub, format, base } = input
  const aside = join(folder, `.new-${randomBytes(8).toString('hex')}`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeSkeleton(aside, format, configuration(hub))
    await mkdir(join(aside, 'gaffer/workspaces'), { recursive: true })
    await putInPlace({ aside, path, format, base })
  } catch (error) {
    throw writingFault(error, folder)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

/** Somebody else may have been faster: then theirs stands. What is there and is no such store makes way. */
async function putInPlace(input: {
  readonly aside: string
  readonly path: string
  readonly format: ObjectFormat
  readonly base: NodeJS.ProcessEnv
}): Promise<void> {
  const { aside, path, format, base } = input
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  if (isThere && (await formatOfStore(path, base)) !== format)
    await rename(path, `${path}.replaced-${randomBytes(4).toString('hex')}`)
  await rename(aside, path).catch(async (error: unknown) => {
    if ((await formatOfStore(path, base)) !== format) throw error
  })
}

function configuration(hub: Hub): string {
  const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`
  const url = hub.kind === 'local' ? hub.folder.common : hub.url
  // The hub's side of a local push or fetch is another git process, with the hub's configuration and hooks: what it
  // must be told goes with its command. A clean checkout of the branch moves along; a dirty one refuses.
  const own = 'git -c safe.directory=* -c gc.auto=0 -c receive.autogc=false -c core.filesRefLockTimeout=1000'
  const programs =
    hub.kind === 'local'
      ? `\tuploadpack = ${own} upload-pack\n\treceivepack = ${own} -c receive.denyCurrentBranch=updateInstead receive-pack\n`
      : ''
  return [
    `[remote "hub"]\n\turl = ${quoted(url)}\n${programs}`,
    '\tfetch = +refs/heads/*:refs/hub/heads/*\n\tfetch = +refs/gaffer/*:refs/hub/gaffer/*\n\ttagOpt = --no-tags\n',
    '[fetch]\n\twriteCommitGraph = false\n\trecurseSubmodules = false\n',
    '[push]\n\trecurseSubmodules = no\n\tdefault = nothing\n',
  ].join('')
}

/** A hub that was made anew at its place may have another format than the store that stands for the old one. */
const expectedFormat = (hub: Hub): ObjectFormat | undefined => (hub.kind === 'local' ? hub.folder.format : undefined)

async function askFormat(hub: Hub, folder: string, base: NodeJS.ProcessEnv): Promise<ObjectFormat> {
  if (hub.kind === 'local') return hub.folder.format
  const { url } = hub
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const ran = await tryGit({ cwd: folder, env: environmentFor('remote', base) }, ['ls-remote', '--', url])
  if (ran.exitCode !== 0) throw unreachable(url, lastLines(ran.stderr) || `exit ${ran.exitCode}`)
  return formatOfListing(ran.stdout.toString('latin1'))
}
