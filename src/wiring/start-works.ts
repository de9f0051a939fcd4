import { rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { acpAgents } from '../adapters/acp/acp-agents.ts'
import { bwrapSandbox } from '../adapters/bwrap/bwrap-sandbox.ts'
import { chooseSandbox } from '../adapters/bwrap/choose-sandbox.ts'
import { cleanRooms } from '../adapters/clean-room/clean-rooms.ts'
import { dependencyCache } from '../adapters/clean-room/dependencies.ts'
import { createRepositories } from '../adapters/git/repositories.ts'
import { unconfinedSandbox } from '../adapters/unconfined/unconfined-sandbox.ts'
import { createEventFeed } from '../engine/event-feed.ts'
import { createEventStore } from '../engine/event-store.ts'
import { createFlows } from '../engine/flow/flows.ts'
import { engineMigrations, migrate } from '../engine/migrate.ts'
import { openDatabase } from '../engine/postgres/database.ts'
import { createVerdictCache } from '../engine/verdict-cache.ts'
import { deliverWakes } from '../engine/wake-delivery.ts'
import type { TaskId } from '../domain/ids.ts'
import { gates } from '../gates/registry.ts'
import { loadInstanceKey } from '../own/instance-key.ts'
import type { Agents } from '../ports/agent.ts'
import { systemClock } from '../ports/clock.ts'
import type { Flow } from '../ports/flow.ts'
import type { Protection, Sandbox } from '../ports/sandbox.ts'
import { runGates } from '../review/run-gates.ts'
import { buildUnit } from '../workflows/build-unit.ts'
import { createConversations } from '../workflows/conversations.ts'
import { createGaffer } from '../workflows/create-gaffer.ts'
import { deliverTask } from '../workflows/deliver-task.ts'
import { createDossiers } from '../workflows/dossiers.ts'
import type { Gaffer } from '../workflows/gaffer.ts'
import { runJudgeWhole } from '../workflows/judge-whole.ts'
import type { Site } from '../workflows/site.ts'
import { taskList, taskListMigrations } from '../workflows/task-list/project-tasks.ts'
import { readTask, readTasks } from '../workflows/task-list/read-tasks.ts'
import { createTasks, deliveryOf } from '../workflows/tasks.ts'
import { databaseOf, dataFolder, dependencyFolder, ensureDataFolder } from './data-folder.ts'
import { openHubs } from './open-hubs.ts'
import { ownProgram } from './program.ts'
import { followAbandoned } from './task-signals.ts'

export const migrations = [engineMigrations, taskListMigrations]
export const projections = [taskList]

export interface Works {
  readonly gaffer: Gaffer
  /** What stands between agents or gates and this machine. */
  readonly protection: Protection
  /** Stops in the order in which nothing half done is written down. Safe to repeat. */
  stop(): Promise<void>
}

export interface WorksOptions {
  readonly data: string
  readonly log: (level: 'warning' | 'error', message: string) => void
  /** Tests and benchmarks put themselves between the parts. */
  readonly around?: Around
}

export interface Around {
  readonly flow?: (flow: Flow) => Flow
  readonly agents?: (agents: Agents) => Agents
  readonly sandbox?: (sandbox: Sandbox) => Sandbox
}
const itself = <T>(part: T): T => part

/** Everything that delivers, on one database: `gaffer up` puts a server on top, `gaffer worker` does not. */
export async function startWorks({ data, log, around = {} }: WorksOptions): Promise<Works> {
  const { flow: through = itself, agents: aroundAgents = itself, sandbox: aroundSandbox = itself } = around
  await ensureDataFolder(data)
  const folders = dataFolder(data)
  const database = await openDatabase(databaseOf(data))
  const closers: (() => Promise<void>)[] = [() => database.close()]
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
  }
  try {
    await migrate(database, migrations)
    const store = createEventStore(database, projections)
    const feed = createEventFeed(database)
    closers.push(() => feed.close())
    const hubs = openHubs(createRepositories({ folder: folders.stores }))
    closers.push(() => hubs.close())
    const { sandbox: chosen, protection } = await chooseSandbox(bwrapSandbox(), unconfinedSandbox())
    const sandbox = aroundSandbox(chosen)
    const conversations = createConversations({
      agents: aroundAgents(acpAgents({ sandbox: chosen, programs: { gaffer: ownProgram } })),
      store,
      clock: systemClock,
    })
    closers.push(() => conversations.closeAll())
    const signals = followAbandoned(feed)
    const dependencies = dependencyCache({ folder: dependencyFolder(), sandbox })
    const rooms = cleanRooms({ folder: folders.rooms, sandbox, dependencies })
    const cache = createVerdictCache(database)

    const site: Site = {
      tasks: createTasks(store, systemClock),
      clock: systemClock,
      open: (hub) => hubs.open(hub),
      conversations,
      judge: (request) => runGates({ ...request, gates, rooms, cache, clock: systemClock }),
      provideDependencies: (request) => dependencies.provide(request),
      folders: (id) => ({ workspace: join(folders.tasks, id, 'workspace'), home: join(folders.tasks, id, 'home') }),
      removeFolders: (id) => rm(join(folders.tasks, id), { recursive: true, force: true }),
      protection,
      environment: process.env,
      key: await loadInstanceKey(folders.key),
      dossiers: createDossiers(store),
      signal: (id) => signals.of(id),
    }
    const cores = availableParallelism()
    const flows = await createFlows({
      database,
      log,
      runs: true,
      workflows: {
        deliver: (flow, argument) => deliverTask(through(flow), argument, site),
        'build-unit': (flow, argument) => buildUnit(through(flow), argument, site),
        'judge-whole': (flow, argument) => runJudgeWhole(through(flow), argument, site),
      },
      queues: {
        deliver: { concurrencyPerWorker: null },
        build: { concurrencyPerWorker: Math.max(2, cores) },
        gates: { concurrencyPerWorker: Math.max(1, Math.floor(cores / 2)) },
      },
    })
    closers.push(() => signals.stop())
    closers.push(() => flows.close())
    const wakes = deliverWakes({ database, flows })
    closers.push(() => wakes.close())

    const { queries } = database
    const list = { page: readTasks.bind(null, queries), row: readTask.bind(null, queries) }
    const gaffer = createGaffer({ site, store, feed, flows, list })
    await startOrphans(gaffer, (id) => flows.start('deliver', { id: deliveryOf(id), queue: 'deliver', argument: id }))
    return { gaffer, protection, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A task that was opened just before a crash has no delivery yet. Starting one that is there does nothing. */
async function startOrphans(gaffer: Gaffer, start: (id: TaskId) => Promise<void>): Promise<void> {
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<Gaffer['tasks']>> = await gaffer.tasks({ state: 'drafted', after, limit: 200 })
    for (const { id } of page.rows) await start(id)
    after = page.next
  } while (after !== null)
}
