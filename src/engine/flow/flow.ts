import { DBOS } from '@dbos-inc/dbos-sdk'
import type { Flow } from '../../ports/flow.ts'
import { outcomeOf, valueOf, type Outcome } from './outcome.ts'

/** What a workflow is given. It runs again from its beginning after a crash, past everything DBOS remembers. */
export type WorkflowBody = (flow: Flow, argument: string) => Promise<unknown>

export interface ChildRequest {
  readonly workflow: string
  readonly id: string
  readonly queue: string
  readonly argument: string
}

export const wakeTopic = 'wake'

/** Wakes come by notification; the poll is for one that got lost, and each costs two queries. */
const napPollMs = 5_000

/** The Flow of the workflow that is running; `runChild` starts a child and waits for it. */
export function createFlow(id: string, runChild: (child: ChildRequest) => Promise<Outcome<unknown>>): Flow {
  return {
    id,
    async step<T>(name: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
      const outcome = await DBOS.runStep(
        () => {
          const signal = DBOS.stepStatus?.cancelSignal ?? new AbortController().signal
          return outcomeOf(() => run(signal))
        },
        { name },
      )
      return valueOf(outcome)
    },
    async nap(limitMs) {
      await DBOS.recv(wakeTopic, { timeoutSeconds: Math.max(limitMs, 0) / 1000, pollingIntervalMs: napPollMs })
    },
    async child<T>(workflow: string, input: Omit<ChildRequest, 'workflow'>): Promise<T> {
      return valueOf((await runChild({ workflow, ...input })) as Outcome<T>)
    },
  }
}
