import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { TreeSha } from '../../domain/ids.ts'
import { Fault } from '../../domain/fault.ts'
import { digestOfJson } from '../../domain/json.ts'
import type { Settings } from '../../domain/settings.ts'
import type { Repository } from '../../ports/repository.ts'
import type { Sandbox } from '../../ports/sandbox.ts'
import { lastLines } from '../../process/run.ts'
import { expose } from './expose.ts'
import { missingFromLockfile, readLockfile, unavailable } from './lockfile.ts'
import { findNpm } from './npm.ts'

/**
 * Dependencies of trees, installed once for each lockfile and shared read-only by clean rooms and agents' workspaces.
 *
 *     absent → installing (a folder of its own) → installed (renamed into place; final)
 *
 *  1  an install's name is a digest of all that decides what it holds: lockfile, package.json files, Node, platform.
 *  2  a name that is there is complete: it appears by one rename, and the slower of two installers discards its own.
 *  3  no code of a package or of the tree runs while installing.
 */
export interface Dependencies {
  /**
   * Makes the dependencies of `tree` appear in `folder`, which holds its files. Safe to repeat; after a change of the
   * lockfile, repeat it.
   * @returns what a confinement must show as readable for them to work
   * @throws Fault dependencies-unavailable, disk-full, cancelled
   */
  provide(request: {
    readonly repository: Pick<Repository, 'read'>
    readonly tree: TreeSha
    readonly settings: Pick<Settings, 'dependencies' | 'limits'>
    readonly folder: string
    /** Whose dependencies do where those of `tree` cannot be installed: for an agent that is in the middle of it. */
    readonly otherwise?: TreeSha
    readonly signal?: AbortSignal | undefined
  }): Promise<{ readonly readable: readonly string[] }>
}

/** @param folder where installs are kept; may be shared by several processes of one machine */
export function dependencyCache({
  folder: cache,
  sandbox,
  environment = process.env,
}: {
  readonly folder: string
  readonly sandbox: Pick<Sandbox, 'run'>
  readonly environment?: Readonly<Record<string, string | undefined>>
}): Dependencies {
  const underWay = new Map<string, Promise<string>>()

  async function installed(wanted: Wanted, limits: Limits): Promise<string> {
    const place = join(cache, wanted.name)
    if ((await stat(place).catch(() => undefined)) !== undefined) return place
    const running = underWay.get(wanted.name)
    if (running !== undefined) return running
    const install = installAt(place, wanted, limits).finally(() => underWay.delete(wanted.name))
    underWay.set(wanted.name, install)
    return install
  }

  async function installAt(place: string, { files }: Wanted, { timeoutMs, signal }: Limits): Promise<string> {
    const npm = await findNpm(environment)
    const [npmCache, started] = [join(cache, 'npm'), join(cache, 'installing-')]
    await mkdir(npmCache, { recursive: true })
    const work = await mkdtemp(started)
    try {
      const [root, home] = [join(work, 'install'), join(work, 'home')]
      await mkdir(home)
      for (const [path, text] of files) {
        await mkdir(dirname(join(root, path)), { recursive: true })
        await writeFile(join(root, path), text)
      }
      const ran = await sandbox.run(npm.argv, {
        confinement: { cwd: root, home, writable: [root, home, npmCache], readable: npm.readable, network: 'host' },
        env: { ...npm.env, npm_config_cache: npmCache },
        timeoutMs,
        outputBytes: 1024 * 1024,
        ...(signal && { signal }),
      })
      if (ran.exitCode !== 0) throw failed(`${ran.stdout}\n${ran.stderr}`)
      await protect(root)
      await rename(root, place).catch(async (cause: unknown) => {
        if ((await stat(place).catch(() => undefined)) === undefined) throw cause // else somebody was faster
      })
      return place
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }

  async function provide({ repository, tree, settings, folder, signal }: Request): Promise<Provided> {
    if (settings.dependencies.installer === 'none') return { readable: [] }
    const wanted = await readWanted(repository, tree)
    if (wanted === undefined) return { readable: [] }
    try {
      const place = await installed(wanted, { timeoutMs: settings.limits.gateSeconds * 1_000, signal })
      await expose(place, folder, ['', ...wanted.workspaces])
      return { readable: [place] }
    } catch (error) {
      throw classify(error)
    }
  }

  return {
    provide: (request) =>
      provide(request).catch((error: unknown) => {
        const { otherwise } = request
        const isSpoilt = error instanceof Fault && error.code === 'dependencies-unavailable' && !error.retryable
        if (!isSpoilt || otherwise === undefined || otherwise === request.tree) throw error
        return provide({ ...request, tree: otherwise })
      }),
  }
}

type Request = Parameters<Dependencies['provide']>[0]
type Provided = Awaited<ReturnType<Dependencies['provide']>>
interface Limits {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}
interface Wanted {
  readonly name: string
  readonly files: ReadonlyMap<string, string>
  readonly workspaces: readonly string[]
}

/** What the tree wants installed; undefined when it wants nothing. */
async function readWanted(repository: Pick<Repository, 'read'>, tree: TreeSha): Promise<Wanted | undefined> {
  const read = (path: string) => repository.read(tree, path)
  const shrinkwrap = await read('npm-shrinkwrap.json')
  const name = shrinkwrap === undefined ? 'package-lock.json' : 'npm-shrinkwrap.json'
  const [manifest, text] = [await read('package.json'), shrinkwrap ?? (await read(name))]
  if (manifest === undefined || text === undefined)
    throw unavailable(
      `there is no ${manifest === undefined ? 'package.json' : name} to install from`,
      'commit package.json and the package-lock.json that `npm install` writes, or set `dependencies.installer: none`',
    )
  const lockfile = readLockfile(text, name)
  mustFit(manifest, text, name, '')
  if (lockfile.isEmpty) return undefined

  const files = new Map([
    ['package.json', manifest],
    [name, text],
  ])
  for (const workspace of lockfile.workspaces) {
    const path = `${workspace}/package.json`
    const found = await read(path)
    if (found === undefined)
      throw unavailable(`${name} names the workspace ${workspace}, and there is no ${path}`, 'run `npm install`')
    mustFit(found, text, name, workspace)
    files.set(path, found)
  }
  const machine = [process.version, process.platform, process.arch]
  const key = digestOfJson({ files: Object.fromEntries(files), machine, layout: 1 })
  return { name: key.replace('sha256:', 'npm-'), files, workspaces: lockfile.workspaces }
}

function mustFit(manifest: string, lockfile: string, name: string, folder: string): void {
  const missing = missingFromLockfile(manifest, lockfile, folder)
  const path = folder === '' ? 'package.json' : `${folder}/package.json`
  if (missing === undefined) throw unavailable(`${path} is not one that npm reads`, `correct ${path}`)
  if (missing.length > 0)
    throw unavailable(
      `${name} does not fit ${path}: it does not know ${missing.slice(0, 5).join(', ')}`,
      `take it out of ${path}, or run \`npm install\` and commit ${name}`,
    )
}

/** Files lose their write permission, so that no tool mends a shared package in place. */
async function protect(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await protect(path)
    else if (entry.isFile()) await chmod(path, (await stat(path)).mode & 0o555)
  }
}

function failed(output: string): Fault {
  const said = lastLines(output.replaceAll(/^npm (?:error|ERR!) ?/gm, '')) || 'npm ci failed and said nothing'
  if (/\bcode EUSAGE\b|in sync/.test(output))
    return unavailable(`the lockfile does not fit package.json: ${said}`, 'run `npm install` and commit the lockfile')
  if (/\bENOSPC\b/.test(output)) return new Fault('disk-full', 'npm ci ran out of disk', { hint: 'make room' })
  const away = /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|E5\d\d)\b/.test(output)
  return unavailable(
    `npm ci failed: ${said}`,
    away ? 'see whether the registry can be reached from this machine, and try again' : 'try `npm ci --ignore-scripts`',
    { retryable: away },
  )
}

/** What is not known to be another fault is that dependencies are not to be had. */
function classify(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (error instanceof Fault)
    return error.code === 'command-timeout' || error.code === 'command-missing'
      ? unavailable(`npm ci: ${error.message}`, error.hint, { retryable: error.retryable, cause: error })
      : error
  if (!('code' in error)) return error
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    return new Fault('disk-full', 'there is no room for the dependencies', { hint: 'make room', cause: error })
  return unavailable(
    `dependencies cannot be put in place: ${error.message}`,
    'see whether the data folder is writable',
    {
      cause: error,
    },
  )
}
