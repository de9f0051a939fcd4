import { DBOS, DBOSClient, Error as DbosErrors } from '@dbos-inc/dbos-sdk'
import { DBOSExecutor } from '@dbos-inc/dbos-sdk/internal/dbos-executor'
import { migrateSystemDatabase } from '@dbos-inc/dbos-sdk/internal/system_database'
import { GlobalLogger } from '@dbos-inc/dbos-sdk/internal/telemetry/logs'
import pg from 'pg'
import { Fault } from '../../domain/fault.ts'
import type { Flows } from '../../ports/flow.ts'
import type { Database } from '../postgres/database.ts'
import { faultOfDatabase } from '../postgres/server-fault.ts'
import { newExecutorId } from './executor-id.ts'
import { createFlow, wakeTopic, type ChildRequest, type WorkflowBody } from './flow.ts'
import { outcomeOf, type Outcome } from './outcome.ts'
import { sayGoodbye, startRecovery, usualTimes, type Recovery, type RecoveryTimes } from './recovery.ts'
import { createSlots, type Slots } from './slots.ts'

export interface FlowsOptions {
  readonly database: Database
  /** By name. What they do outside their steps may change only behind `DBOS.patch`: running ones are replayed. */
  readonly workflows: Readonly<Record<string, WorkflowBody>>
  /** How many of a queue's workflows one process runs at once; null: as many as there are. */
  readonly queues: Readonly<Record<string, { readonly concurrencyPerWorker: number | null }>>
  /** false: starts, wakes and cancels, and leaves the running to other processes. */
  readonly runs: boolean
  readonly times?: Partial<RecoveryTimes>
  /** Troubles of the engine itself. */
  readonly log?: (level: 'warning' | 'error', message: string) => void
}

export type RunningFlows = Flows & {
  /** Stops without waiting for workflows: what is under way here is taken over by whoever runs next. */
  close(): Promise<void>
}

/** Never changed: a workflow only runs on the version it was started with. */
const applicationName = 'gaffer'
const applicationVersion = 'gaffer'
/** A workflow that waits for a person sees many restarts, and every one counts as an attempt. */
const maxRecoveryAttempts = 1_000_000
const queuePollMs = 200
const resultPollMs = 250

/**
 * Durable workflows on this database. DBOS keeps one executor per process, so with `runs` there can be one at a time.
 * `start`, `wake` and `cancel` are safe to repeat, and do nothing for an unknown id.
 * @throws Fault database-unavailable
 */
export async function createFlows(options: FlowsOptions): Promise<RunningFlows> {
  try {
    return options.runs ? await createWorker(options) : await createClient(options)
  } catch (error) {
    throw faultOfStart(error)
  }
}

type Argument = readonly [queue: string, argument: string]

async function createWorker({ database, workflows, queues, times, log }: FlowsOptions): Promise<RunningFlows> {
  if (DBOS.isInitialized()) throw new TypeError('workflows run in this process already')
  const executorId = newExecutorId()
  const slots = new Map(Object.entries(queues).map(([name, queue]) => [name, createSlots(queue.concurrencyPerWorker)]))
  const registered = new Map(
    Object.entries(workflows).map(([name, body]) => [
      name,
      DBOS.registerWorkflow((...given: Argument) => inSlot(slots, given, body), { name, maxRecoveryAttempts }),
    ]),
  )

  async function run({ workflow, id, queue, argument }: ChildRequest) {
    const target = registered.get(workflow)
    if (target === undefined) throw new TypeError(`there is no workflow ${workflow}`)
    const here = slotsOf(slots, queue).reserve(id)
    // With room here it starts at once; else it goes to the queue, for whoever has room first.
    const place = here ? { workflowID: id } : { workflowID: id, queueName: queue }
    try {
      return await DBOS.startWorkflow(target, place)(queue, argument)
    } finally {
      // It took the place when it began; one that runs elsewhere, or has run already, has no use for it.
      slotsOf(slots, queue).forget(id)
    }
  }
  async function runChild(child: ChildRequest): Promise<Outcome<unknown>> {
    const handle = await run(child)
    return handle.getResult({ pollingIntervalMs: resultPollMs })
  }
  async function inSlot(all: ReadonlyMap<string, Slots>, [queue, argument]: Argument, body: WorkflowBody) {
    const id = DBOS.workflowID
    if (id === undefined) throw new TypeError('a workflow runs under an id')
    const place = slotsOf(all, queue)
    await place.take(id)
    try {
      return await outcomeOf(() => body(createFlow(id, runChild), argument))
    } finally {
      place.release()
    }
  }

  const pool = enginePool(database, 10)
  DBOS.setConfig({
    name: applicationName,
    applicationVersion,
    executorID: executorId,
    systemDatabaseUrl: database.url,
    systemDatabasePool: pool,
    logger: quietLogger(log),
    maxConcurrentQueueDispatches: Math.max(3, slots.size + 1),
  })
  let recovery: Recovery | undefined
  async function close(): Promise<void> {
    await recovery?.close()
    await DBOS.shutdown({ deregister: true })
    await pool.end()
    await sayGoodbye(database, executorId).catch(() => undefined)
  }
  try {
    await DBOS.launch()
    recovery = await startRecovery({
      database,
      executorId,
      times: { ...usualTimes, ...times },
      recover: async (dead) => {
        await DBOSExecutor.globalInstance?.recoverPendingWorkflows([dead])
      },
    })
    await registerQueues(queues)
    await recovery.sweep()
  } catch (error) {
    await close()
    throw error
  }

  return {
    async start(workflow, input) {
      await run({ workflow, ...input })
    },
    wake: (id) => ifKnown(DBOS.send(id, null, wakeTopic)),
    async cancel(id) {
      await ifKnown(DBOS.cancelWorkflow(id, { cancelChildren: true }))
      // Woken too, so that it notices at once and not when it would have looked.
      await ifKnown(DBOS.send(id, null, wakeTopic))
    },
    close,
  }
}

async function registerQueues(queues: FlowsOptions['queues']): Promise<void> {
  for (const [name, { concurrencyPerWorker }] of Object.entries(queues))
    await DBOS.registerQueue(name, {
      ...(concurrencyPerWorker === null ? {} : { workerConcurrency: concurrencyPerWorker }),
      minPollingIntervalMs: queuePollMs,
      onConflict: 'always_update',
    })
}

async function createClient({ database, queues, log }: FlowsOptions): Promise<RunningFlows> {
  // DBOS.migrate, without the line it prints: a client may come before the first worker.
  await migrateSystemDatabase(database.url, new GlobalLogger(undefined, { logger: quietLogger(log) }))
  const pool = enginePool(database, 4)
  const client = await DBOSClient.create({
    systemDatabaseUrl: database.url,
    systemDatabasePool: pool,
    applicationName,
    logger: quietLogger(log),
  })
  return {
    async start(workflow, { id, queue, argument }) {
      if (!(queue in queues)) throw new TypeError(`there is no queue ${queue}`)
      const place = { workflowName: workflow, workflowID: id, queueName: queue, appVersion: applicationVersion }
      await client.enqueue(place, queue, argument)
    },
    wake: (id) => ifKnown(client.send(id, null, wakeTopic)),
    async cancel(id) {
      await ifKnown(client.cancelWorkflow(id, { cancelChildren: true }))
      await ifKnown(client.send(id, null, wakeTopic))
    },
    async close() {
      await client.destroy()
      await pool.end()
    },
  }
}

/** DBOS's own pool would not carry our name, by which the embedded server tells us from others. */
function enginePool(database: Database, max: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: database.url,
    max,
    connectionTimeoutMillis: 5_000,
    // A host that died in the middle of a transaction must not keep its locks.
    idle_in_transaction_session_timeout: 60_000,
  })
  pool.on('error', () => undefined)
  return pool
}

async function ifKnown(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (error instanceof DbosErrors.DBOSNonExistentWorkflowError) return
    throw faultOfDatabase(error) ?? error
  }
}

function slotsOf(slots: ReadonlyMap<string, Slots>, queue: string): Slots {
  const found = slots.get(queue)
  if (found === undefined) throw new TypeError(`there is no queue ${queue}`)
  return found
}

const quietLogger = (log: FlowsOptions['log']) => ({
  info: () => {},
  debug: () => {},
  warn: (entry: unknown) => log?.('warning', String(entry)),
  error: (entry: unknown) => log?.('error', String(entry)),
})

function faultOfStart(error: unknown): unknown {
  if (error instanceof Fault || error instanceof TypeError) return error
  const cause = error instanceof Error ? error.cause : undefined
  return (
    faultOfDatabase(error) ??
    faultOfDatabase(cause) ??
    new Fault('database-unavailable', 'the workflow engine did not start', {
      hint: 'run `gaffer doctor`; the role in DATABASE_URL must be allowed to create a schema',
      cause: error,
    })
  )
}
