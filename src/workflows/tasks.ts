import type { Refusal } from '../domain/fault.ts'
import { Fault } from '../domain/fault.ts'
import type { Json } from '../domain/json.ts'
import type { TaskId } from '../domain/ids.ts'
import type { TaskCommand } from '../domain/task/command.ts'
import { decide } from '../domain/task/decide.ts'
import { taskEventSchema } from '../domain/task/event.ts'
import { evolve } from '../domain/task/evolve.ts'
import type { Task } from '../domain/task/task.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore, StoredEvent } from '../ports/store.ts'

export const taskStream = (id: TaskId): string => `task/${id}`
export const deliveryOf = (id: TaskId): string => `deliver/${id}`

export interface Versioned {
  readonly task: Task
  readonly version: number
}
export type Applied = { readonly kind: 'done'; readonly task: Task } | Refusal

/** Tasks as their events tell them. One per process; holds what it has read, and reads on from there. */
export interface Tasks {
  get(id: TaskId): Promise<Versioned | undefined>
  /**
   * Decides and appends. Safe to repeat with one `commandId`: a command that went through is not decided again. A
   * person's command wakes the delivery.
   */
  apply(id: TaskId, command: TaskCommand, commandId: string): Promise<Applied>
}

const kept = 500
const tries = 20

export function createTasks(store: EventStore, clock: Clock): Tasks {
  const known = new Map<TaskId, Versioned>()

  async function load(id: TaskId): Promise<{ current: Versioned | undefined; fresh: readonly StoredEvent[] }> {
    const before = known.get(id)
    const fresh = await store.read(taskStream(id), before?.version ?? 0)
    let task = before?.task
    for (const stored of fresh) task = evolve(task, taskEventSchema.parse(stored.event))
    if (task === undefined) return { current: undefined, fresh }
    const current = { task, version: fresh.at(-1)?.version ?? before?.version ?? 0 }
    known.delete(id)
    known.set(id, current)
    for (const oldest of known.keys()) {
      if (known.size <= kept) break
      known.delete(oldest)
    }
    return { current, fresh }
  }

  return {
    get: async (id) => (await load(id)).current,

    async apply(id, command, commandId) {
      for (let attempt = 0; attempt < tries; attempt += 1) {
        const { current } = await load(id)
        const decision = decide(current?.task, command)
        if (decision.kind === 'refused') {
          const repeated = await holds(store, id, commandId)
          return repeated && current !== undefined ? { kind: 'done', task: current.task } : decision
        }
        const appended = await store.append(taskStream(id), current?.version ?? 0, {
          commandId,
          actor: command.actor,
          events: decision.events as unknown as readonly Json[],
          at: clock.now(),
          wake: command.actor.kind === 'person' && command.type !== 'draft' ? [deliveryOf(id)] : [],
        })
        if (appended.kind === 'conflict') continue
        const { current: after } = await load(id)
        if (after === undefined) break
        return { kind: 'done', task: after.task }
      }
      throw new Fault('database-unavailable', `${id} is being changed by too many at once`, {
        hint: 'try again',
        retryable: true,
      })
    },
  }
}

/** A refusal may only say that the same command went through before. */
const holds = async (store: EventStore, id: TaskId, commandId: string): Promise<boolean> =>
  (await store.read(taskStream(id))).some((stored) => stored.commandId === commandId)
