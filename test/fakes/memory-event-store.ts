import { hashEvent, rootHash } from '../../src/engine/hash-chain.ts'
import { canonicalJson, type Json } from '../../src/domain/json.ts'
import type { EventStore, StoredEvent } from '../../src/ports/store.ts'

export interface MemoryEventStore extends EventStore {
  /** Everything appended, in order. */
  readonly all: readonly StoredEvent[]
  /** Workflows that batches asked to wake, in order. */
  readonly woken: readonly string[]
}

/** For unit tests of what stands on events. `onAppend` is called after each batch that wrote something. */
export function memoryEventStore(onAppend: (events: readonly StoredEvent[]) => void = () => {}): MemoryEventStore {
  const all: StoredEvent[] = []
  const woken: string[] = []
  const of = (stream: string) => all.filter((event) => event.stream === stream)

  return {
    all,
    woken,
    async read(stream, after = 0) {
      return of(stream).filter(({ version }) => version > after)
    },
    async append(stream, expected, { commandId, actor, events, at, wake = [] }) {
      const existing = of(stream)
      const before = existing.filter((event) => event.commandId === commandId)
      if (before.length > 0) return { kind: 'repeated', events: before }
      if (existing.length !== expected) return { kind: 'conflict', version: existing.length }

      let previous = existing.at(-1)?.hash ?? rootHash(stream)
      const written = events.map((given, index): StoredEvent => {
        const event = JSON.parse(canonicalJson(given)) as Json
        const version = expected + index + 1
        previous = hashEvent(previous, { stream, version, commandId, actor, at, event })
        return { position: all.length + index + 1, stream, version, event, actor, commandId, at, hash: previous }
      })
      all.push(...written)
      woken.push(...new Set(wake))
      if (written.length > 0) onAppend(written)
      return { kind: 'appended', events: written }
    },
    async audit(stream) {
      let previous = rootHash(stream)
      for (const stored of of(stream)) {
        if (hashEvent(previous, stored) !== stored.hash)
          return { kind: 'tampered', version: stored.version, why: 'its hash does not match' }
        previous = stored.hash
      }
      return { kind: 'intact', version: of(stream).length }
    },
    async streams(prefix) {
      return [...new Set(all.map(({ stream }) => stream))].filter((name) => name.startsWith(prefix)).toSorted()
    },
  }
}
