import type { Hono } from 'hono'
import { createApp } from '../../src/http/app.ts'
import { createPageKeys, type PageKeys } from '../../src/http/page-keys.ts'
import { maria, exampleBrief, memoryGaffer, type MemoryGaffer, type MemoryGafferOptions } from './memory-gaffer.ts'
import type { Protection } from '../../src/ports/sandbox.ts'
import type { TaskId } from '../../src/domain/ids.ts'

export const host = '127.0.0.1:7447'
export const token = 'token-for-tests-which-is-long-enough-0'

export interface AppUnderTest {
  readonly app: Hono
  readonly gaffer: MemoryGaffer
  readonly pageKeys: PageKeys
  readonly bugs: unknown[]
  /** Asks with the token, as the command line does. */
  readonly ask: (
    path: string,
    init?: { method?: string; body?: unknown; headers?: Record<string, string> },
  ) => Promise<Response>
  readonly open: (title?: string) => Promise<TaskId>
}

/** The HTTP app over a Gaffer in memory, called without a socket. */
export function appUnderTest(
  options: MemoryGafferOptions & {
    closing?: AbortSignal
    gaffer?: Partial<MemoryGaffer>
    protection?: Protection
  } = {},
): AppUnderTest {
  const gaffer = { ...memoryGaffer(options), ...options.gaffer }
  const pageKeys = createPageKeys(token)
  const bugs: unknown[] = []
  const app = createApp({
    gaffer,
    token,
    pageKeys,
    version: '1.2.3',
    protection: options.protection ?? { kind: 'confined', what: ['nothing runs here'] },
    onBug: (error) => bugs.push(error),
    ...(options.closing === undefined ? {} : { closing: options.closing }),
  })
  return {
    app,
    gaffer,
    pageKeys,
    bugs,
    async ask(path, { method = 'GET', body, headers = {} } = {}) {
      return app.request(`http://${host}${path}`, {
        method,
        headers: { host, authorization: `Bearer ${token}`, ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
    },
    async open(title) {
      const delegated = await gaffer.delegate({
        brief: exampleBrief(title),
        hub: '/srv/orders',
        agent: null,
        owner: null,
        actor: maria,
        key: crypto.randomUUID(),
      })
      if (delegated.kind !== 'opened') throw new Error(`not opened: ${JSON.stringify(delegated)}`)
      return delegated.task
    },
  }
}
