import pg from 'pg'
import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from './postgres/database.ts'

/** Notifications of Gaffer; payloads are empty, they only say "look". */
export const channels = {
  /** Events were appended. */
  events: 'gaffer_events',
  /** Workflows are to be woken. */
  wakes: 'gaffer_wakes',
} as const

export interface Listener {
  /** Resolves once it listens for the first time. */
  readonly ready: Promise<void>
  close(): Promise<void>
}

const reconnectMs = 100
const slowestReconnectMs = 2_000
const closeMs = 2_000

/**
 * Calls `look` whenever somebody notified the channel, and after every (re)connect, because whatever was said while we
 * were away is lost. Keeps a connection of its own and gets a new one as often as it takes.
 */
export function listen(database: Database, channel: string, look: () => void): Listener {
  const stopping = new AbortController()
  let client: pg.Client | undefined
  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>()

  async function attend(): Promise<void> {
    const connection = new pg.Client({
      connectionString: database.url,
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    })
    const lost = new Promise<void>((resolve) => {
      connection.on('error', () => resolve())
      connection.on('end', () => resolve())
    })
    client = connection
    try {
      await connection.connect()
      connection.on('notification', look)
      await connection.query(`listen ${channel}`)
      isReady()
      look()
      if (!stopping.signal.aborted) await lost
    } finally {
      await connection.end().catch(() => undefined)
    }
  }

  const attending = (async () => {
    let delayMs = reconnectMs
    while (!stopping.signal.aborted) {
      const since = Date.now()
      await attend().catch(() => undefined)
      delayMs = Date.now() - since > slowestReconnectMs ? reconnectMs : Math.min(delayMs * 2, slowestReconnectMs)
      await pause(delayMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
    }
  })()

  return {
    ready,
    async close() {
      stopping.abort()
      isReady()
      // Ending a connection that is still being made may never answer; what is left of it ends with the process.
      const ended = (async () => {
        await client?.end().catch(() => undefined)
        await attending
      })()
      await Promise.race([ended, pause(closeMs, undefined, { ref: false })])
    },
  }
}
