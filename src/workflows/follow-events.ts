import type { EventFeed, StoredEvent } from '../ports/store.ts'

/** A subscription as an async iterable; ends when the signal does. Events wait in memory for a slow reader. */
export async function* followEvents(
  feed: EventFeed,
  { prefix, exact, after, signal }: { prefix: string; exact: boolean; after: number | null; signal: AbortSignal },
): AsyncGenerator<StoredEvent> {
  const waiting: StoredEvent[] = []
  let notify: () => void = () => undefined
  const subscription = feed.follow({
    prefix,
    after,
    onEvent: (event) => {
      if (exact && event.stream !== prefix) return
      waiting.push(event)
      notify()
    },
  })
  const wake = (): void => notify()
  signal.addEventListener('abort', wake)
  try {
    while (!signal.aborted) {
      const next = waiting.shift()
      if (next !== undefined) {
        yield next
        continue
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      notify = resolve
      if (waiting.length === 0 && !signal.aborted) await Promise.race([promise, subscription.done])
    }
  } finally {
    signal.removeEventListener('abort', wake)
    await subscription.stop()
  }
}
