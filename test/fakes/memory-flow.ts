import { Fault } from '../../src/domain/fault.ts'
import type { Flow, Flows } from '../../src/ports/flow.ts'

export type MemoryWorkflow = (flow: Flow, argument: string) => Promise<unknown>

export interface MemoryFlows extends Flows {
  /** Resolves once nothing runs: every workflow has ended or naps. Bounded by the test's own time-out. */
  atRest(): Promise<void>
  /** How a workflow ended; waits for its end. Rethrows what it threw. */
  result(id: string): Promise<unknown>
  state(id: string): 'unknown' | 'running' | 'napping' | 'ended'
  /** Ends every nap, as if its limit had passed. */
  elapse(): void
  /** Names of the steps that were run (not replayed) by a workflow, in order. */
  steps(id: string): readonly string[]
  /**
   * Forgets everything that is only in memory and runs every unended workflow again from its beginning, past the
   * answers of the steps that had one. What ran before hangs for ever, like a process that was killed.
   */
  crash(): void
}

interface Run {
  readonly workflow: string
  readonly argument: string
  /** Answers by place, as JSON text. */
  readonly answers: Map<number, string>
  readonly ran: string[]
  readonly end: PromiseWithResolvers<unknown>
  readonly cancelling: AbortController
  woken: number
  state: 'running' | 'napping' | 'ended'
  generation: number
  stirNap: (() => void) | undefined
  readonly parent: string | null
}

/**
 * Flows in this process's memory, for unit tests of workflows: replay, wakes, cancel and crashes as the engine has them
 * (test/contracts/flows.ts holds for both), queues without limits. Answers go through JSON, so that a step whose
 * answer does not survive a restart is found.
 */
export function memoryFlows(workflows: Readonly<Record<string, MemoryWorkflow>>): MemoryFlows {
  const runs = new Map<string, Run>()
  const resting = new Set<() => void>()

  const looked = (): void => {
    // Let whatever was just resolved go on first.
    setImmediate(() => {
      if ([...runs.values()].some(({ state }) => state === 'running')) return
      for (const resolve of resting) resolve()
      resting.clear()
    })
  }
  const set = (run: Run, state: Run['state']): void => {
    run.state = state
    looked()
  }

  function begin(id: string, run: Run): void {
    const generation = ++run.generation
    const isCurrent = (): boolean => run.generation === generation
    const body = workflows[run.workflow]
    if (body === undefined) throw new TypeError(`there is no workflow ${run.workflow}`)
    run.stirNap = undefined
    set(run, 'running')
    body(flowOf(id, run, isCurrent), run.argument).then(
      (value) => isCurrent() && (run.end.resolve(viaJson(value)), set(run, 'ended')),
      (error: unknown) => isCurrent() && (run.end.reject(error), set(run, 'ended')),
    )
  }

  function flowOf(id: string, run: Run, isCurrent: () => boolean): Flow {
    let place = 0
    let woken = 0
    const halted = new Promise<never>(() => {})
    const check = (): void => {
      if (run.cancelling.signal.aborted) throw new WorkflowCancelled(id)
    }
    async function remembered<T>(name: string, make: () => Promise<T>): Promise<T> {
      const here = place++
      check()
      if (!isCurrent()) return halted
      const known = run.answers.get(here)
      if (known !== undefined) return replay<T>(name, known)
      const answer = await answerOf(name, make)
      if (!isCurrent()) return halted
      check()
      run.answers.set(here, answer)
      return replay<T>(name, answer)
    }
    return {
      id,
      step: (name, make) =>
        remembered(name, () => {
          run.ran.push(name)
          return make(run.cancelling.signal)
        }),
      nap: () =>
        remembered<null>('nap', async () => {
          if (woken >= run.woken) {
            set(run, 'napping')
            await new Promise<void>((resolve) => (run.stirNap = resolve))
            if (isCurrent()) set(run, 'running')
          }
          woken = run.woken
          return null
        }).then(() => undefined),
      child: <T>(workflow: string, { id: childId, argument }: { id: string; argument: string }) =>
        remembered<T>(workflow, () => {
          const child = open(childId, { workflow, argument, parent: id })
          set(run, 'napping')
          const end = child.end.promise as Promise<T>
          return end.finally(() => isCurrent() && set(run, 'running'))
        }),
    }
  }

  function open(id: string, { workflow, argument, parent }: Pick<Run, 'workflow' | 'argument' | 'parent'>): Run {
    const before = runs.get(id)
    if (before !== undefined) return before
    const run: Run = {
      workflow,
      argument,
      parent,
      answers: new Map(),
      ran: [],
      end: Promise.withResolvers<unknown>(),
      cancelling: new AbortController(),
      woken: 0,
      state: 'running',
      generation: 0,
      stirNap: undefined,
    }
    run.end.promise.catch(() => undefined)
    runs.set(id, run)
    begin(id, run)
    return run
  }

  return {
    start(workflow, { id, argument }) {
      open(id, { workflow, argument, parent: null })
      return Promise.resolve()
    },
    wake(id) {
      const run = runs.get(id)
      if (run !== undefined) {
        run.woken += 1
        run.stirNap?.()
      }
      return Promise.resolve()
    },
    cancel(id) {
      const family = [id, ...[...runs].filter(([, { parent }]) => parent === id).map(([child]) => child)]
      for (const run of family.flatMap((member) => runs.get(member) ?? [])) {
        if (run.state === 'ended') continue
        run.cancelling.abort()
        run.stirNap?.()
      }
      return Promise.resolve()
    },
    atRest: () =>
      new Promise((resolve) => {
        resting.add(resolve)
        looked()
      }),
    result: (id) => runs.get(id)?.end.promise ?? Promise.reject(new TypeError(`${id} never started`)),
    state: (id) => runs.get(id)?.state ?? 'unknown',
    elapse() {
      for (const run of runs.values()) run.stirNap?.()
    },
    steps: (id) => runs.get(id)?.ran ?? [],
    crash() {
      for (const [id, run] of runs) if (run.state !== 'ended') begin(id, run)
    },
  }
}

/** What a cancelled workflow meets at its next step, nap or child. */
export class WorkflowCancelled extends Error {
  override readonly name = 'WorkflowCancelled'
  constructor(id: string) {
    super(`workflow ${id} was cancelled`)
  }
}

const viaJson = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))

async function answerOf(name: string, make: () => Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify({ name, value: await make() })
  } catch (error) {
    if (error instanceof WorkflowCancelled) throw error
    if (error instanceof Fault) return JSON.stringify({ name, fault: error.toJSON() })
    return JSON.stringify({ name, bug: error instanceof Error ? error.message : String(error) })
  }
}

function replay<T>(name: string, text: string): T {
  const answer = JSON.parse(text) as { name: string; value: T; fault?: ReturnType<Fault['toJSON']>; bug?: string }
  if (answer.name !== name)
    throw new Error(`the workflow is not the same when it is replayed: ${answer.name} was here before ${name}`)
  if (answer.fault !== undefined) throw new Fault(answer.fault.code, answer.fault.message, answer.fault)
  if (answer.bug !== undefined) throw new Error(answer.bug)
  return answer.value
}
