import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { createApp } from '../src/app.ts'
import type { Database } from '../src/database/database.ts'
import type { LogEntry } from '../src/log.ts'
import { emptyDatabase } from './database-under-test.ts'

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** The real service on a free port, with an empty database unless the test brings its own, until the test has ended. */
export async function startApp(t: TestContext, parts: { readonly database?: Database } = {}) {
  const database = parts.database ?? (await emptyDatabase())
  const logged: LogEntry[] = []
  const server = createServer(createApp({ database, log: (entry) => logged.push(entry) }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })

  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = async (path: string, init: RequestInit = {}): Promise<Answered> => {
    const response = await fetch(`${origin}${path}`, init)
    return { status: response.status, headers: response.headers, body: await response.json() }
  }
  return {
    database,
    logged,
    ask,
    get: (path: string, headers: Record<string, string> = {}) => ask(path, { headers }),
    post: (path: string, body: unknown) => ask(path, { method: 'POST', body: JSON.stringify(body) }),
  }
}

export const pencil = { sku: 'PENCIL-2B', name: 'Pencil, 2B', priceCents: 120 }
export const eraser = { sku: 'ERASER', name: 'Eraser', priceCents: 85 }
