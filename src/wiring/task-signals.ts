import { taskId, type TaskId } from '../domain/ids.ts'
import type { EventFeed } from '../ports/store.ts'

/** Signals that abort when a task is abandoned, whichever process hears of it, or when this process stops. */
export interface TaskSignals {
  /** The task's signal; aborted already when it was abandoned before anybody asked, or when this process stops. */
  of(id: TaskId): AbortSignal
  stop(): Promise<void>
}

/** How many abandoned tasks are remembered; a step that asks for an older one finds the task itself abandoned. */
const remembered = 10_000

export function followAbandoned(feed: EventFeed): TaskSignals {
  const controllers = new Map<TaskId, AbortController>()
  const abandoned = new Set<TaskId>()
  let isStopped = false

  const remember = (id: TaskId): void => {
    abandoned.add(id)
    const [oldest] = abandoned
    if (oldest !== undefined && abandoned.size > remembered) abandoned.delete(oldest)
  }
  const subscription = feed.follow({
    prefix: 'task/',
    after: null,
    onEvent: ({ stream, event }) => {
      if (typeof event !== 'object' || event === null || !('type' in event)) return
      if (event.type !== 'abandoned' && event.type !== 'landed') return
      const id = taskId(stream.slice('task/'.length))
      if (event.type === 'abandoned') {
        remember(id)
        controllers.get(id)?.abort()
      }
      controllers.delete(id)
    },
  })
  return {
    of(id) {
      if (isStopped || abandoned.has(id)) return AbortSignal.abort()
      const controller = controllers.get(id) ?? new AbortController()
      controllers.set(id, controller)
      return controller.signal
    },
    async stop() {
      isStopped = true
      for (const controller of controllers.values()) controller.abort()
      controllers.clear()
      await subscription.stop()
    },
  }
}
