import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault } from '../../domain/fault.ts'
import type { OpenRoom, Room, RoomRequest, Rooms } from '../../ports/gate.ts'
import type { Sandbox } from '../../ports/sandbox.ts'
import type { Dependencies } from './dependencies.ts'
import { mark } from './expose.ts'
import { unavailable } from './lockfile.ts'
import { layOutTools } from './tools.ts'

/**
 * Clean rooms on this machine. Each gate of a run gets a checkout, a reports folder and a home folder of its own, so
 * that the code under test, which writes where it likes in its checkout, reaches nothing that another gate judges.
 * @param folder where rooms are made, for this machine only; what a killed process left there is removed
 */
export function cleanRooms({
  folder,
  sandbox,
  dependencies,
}: {
  readonly folder: string
  readonly sandbox: Pick<Sandbox, 'run'>
  readonly dependencies: Dependencies
}): Rooms {
  return {
    async open(request) {
      const home = await makeFolder(folder)
      return openRoom(home, request)
    },
  }

  function openRoom(base: string, request: RoomRequest): OpenRoom {
    let count = 0
    return {
      room: () => makeRoom(join(base, String(++count)), request).catch(asFault),
      close: () => removeFolder(base),
    }
  }

  async function makeRoom(base: string, { repository, tree, settings, signal }: RoomRequest): Promise<Room> {
    const [checkout, reports, home] = [join(base, 'tree'), join(base, 'reports'), join(base, 'home')]
    await mkdir(base)
    await Promise.all([checkout, reports, home].map((path) => mkdir(path)))
    await repository.checkout(tree, checkout)
    if (settings.dependencies.installer !== 'none') await mustNotClaim(repository, tree)
    const { readable } = await dependencies.provide({ repository, tree, settings, folder: checkout, signal })
    const tools = await layOutTools(join(base, 'tools'), checkout, readable.length > 0)
    return {
      folder: checkout,
      reports,
      async run(line, options = {}) {
        const ran = await sandbox.run(tools.argv(line), {
          confinement: {
            cwd: checkout,
            writable: [checkout, reports, home],
            readable: [...readable, tools.folder, ...nodeFolders()],
            home,
            network: 'none',
          },
          env: { ...fixed, ...tools.env, ...options.env, GAFFER_REPORTS: reports },
          timeoutMs: options.timeoutMs ?? settings.limits.gateSeconds * 1_000,
          outputBytes: Math.floor(settings.limits.outputMb * 1024 * 1024),
          ...(signal && { signal }),
        })
        if (!ran.truncated) return ran
        throw new Fault('output-limit', `\`${line.slice(0, 120)}\` printed more than ${settings.limits.outputMb} MB`, {
          hint: 'make it print less, or raise limits.outputMb in .gaffer/gaffer.yaml',
        })
      },
    }
  }
}

/** A change that carries our mark would have its own node_modules taken for installed ones. */
async function mustNotClaim(repository: RoomRequest['repository'], tree: RoomRequest['tree']): Promise<void> {
  const claimed = (await repository.list(tree)).find(({ path }) => path.endsWith(`node_modules/${mark}`))
  if (claimed !== undefined)
    throw unavailable(`${claimed.path} is there already`, 'take node_modules out of the repository')
}

/** The same for every gate on every machine; what a sandbox sets comes on top. */
const fixed = { CI: 'true', NO_COLOR: '1', npm_config_offline: 'true', npm_config_update_notifier: 'false' }

/** The Node that runs Gaffer, with the npm that may be beside it, and nothing else of its prefix. */
function nodeFolders(): readonly string[] {
  const bin = dirname(process.execPath)
  const modules = join(bin, '../lib/node_modules')
  return existsSync(modules) ? [bin, modules] : [bin]
}

async function makeFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true })
    await sweep(folder)
    return await mkdtemp(join(folder, `room-${process.pid}-`))
  } catch (error) {
    return asFault(error)
  }
}

/** Removes rooms whose process is gone. */
async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder)
  const orphans = names.filter((name) => {
    const pid = /^room-(\d+)-/.exec(name)?.[1]
    return pid !== undefined && !isAlive(Number(pid))
  })
  await Promise.all(orphans.map((name) => removeFolder(join(folder, name))))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

/** Code under test may have left folders that nobody may enter; never throws. */
async function removeFolder(folder: string): Promise<void> {
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 2 })
  await remove()
    .catch(() => unlock(folder).then(remove))
    .catch(() => undefined)
}

async function unlock(folder: string): Promise<void> {
  await chmod(folder, 0o700)
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await unlock(join(folder, entry.name))
}

function asFault(error: unknown): never {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT'))
    throw new Fault('disk-full', 'there is no room for a clean checkout', {
      hint: 'make room, and try again',
      cause: error,
    })
  throw error
}
