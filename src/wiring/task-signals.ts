import { taskId, type TaskId } from '../domain/ids.ts'
import type { EventFeed } from '../ports/store.ts'

/** Signals that abort when a task is abandoned, whichever process hears of it, or when this process stops. */
export interface TaskSignals {
  of(id: TaskId): AbortSignal
  stop(): Promise<void>
}

export function followAbandoned(feed: EventFeed): TaskSignals {
  const controllers = new Map<TaskId, AbortController>()
  const subscription = feed.follow({
    prefix: 'task/',
    after: null,
    onEvent: ({ stream, event }) => {
      if (typeof event !== 'object' || event === null || !('type' in event)) return
      const id = taskId(stream.slice('task/'.length))
      if (event.type === 'abandoned') controllers.get(id)?.abort()
      if (event.type === 'abandoned' || event.type === 'landed') controllers.delete(id)
    },
  })
  return {
    of(id) {
      const controller = controllers.get(id) ?? new AbortController()
      controllers.set(id, controller)
      return controller.signal
    },
    async stop() {
      for (const controller of controllers.values()) controller.abort()
      controllers.clear()
      await subscription.stop()
    },
  }
}
