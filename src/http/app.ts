import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Unconfined } from '../contract/delegate.ts'
import type { Health } from '../contract/health.ts'
import { problemTypes } from '../contract/problem.ts'
import { routes } from '../contract/routes.ts'
import type { Protection } from '../ports/sandbox.ts'
import type { Gaffer } from '../workflows/gaffer.ts'
import { access } from './access.ts'
import { commandRoutes } from './command-routes.ts'
import { guard } from './guard.ts'
import { statusPage } from './page/page.ts'
import { pageRoutes } from './page-routes.ts'
import type { PageKeys } from './page-keys.ts'
import { answerProblem, bugProblem, notFound, problemOf, stop } from './problems.ts'
import { streamRoutes } from './stream-routes.ts'
import { taskRoutes } from './task-routes.ts'

export interface AppOptions {
  readonly gaffer: Gaffer
  /** The bearer token; at least 32 random bytes, as text. */
  readonly token: string
  readonly pageKeys: PageKeys
  readonly version: string
  /** What stands between the agents and this machine. */
  readonly protection: Protection
  /** Aborted when the server closes: ends the streams. */
  readonly closing?: AbortSignal
  /** Told of every bug, with the reference that the answer named. */
  readonly onBug?: (error: unknown, reference: string) => void
  readonly quietMs?: number
}

const bodyLimitBytes = 2 * 1024 * 1024

/** The HTTP surface over a Gaffer. Holds nothing of the work; can be called in memory (`app.request`). */
export function createApp(options: AppOptions): Hono {
  const { gaffer, token, pageKeys, version, protection } = options
  const { closing = new AbortController().signal, quietMs = 15_000 } = options
  const onBug = (error: unknown): string => {
    const reference = `bug-${randomBytes(4).toString('hex')}`
    options.onBug?.(error, reference)
    return reference
  }

  const app = new Hono()
  app.onError((error, c) => answerProblem(c, problemOf(error) ?? bugProblem(onBug(error))))
  app.notFound((c) => {
    const problem = problemOf(
      notFound(`${c.req.method} ${c.req.path.slice(0, 120)}`, 'see docs/cli.md for what there is'),
    )
    return answerProblem(c, problem ?? bugProblem('none'))
  })

  app.use(async (c, next) => {
    await next()
    for (const [name, value] of Object.entries(headers())) c.res.headers.set(name, value)
    if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store')
  })
  app.use(guard)
  app.use('/api/*', access(token, pageKeys))
  app.use(
    '/api/*',
    bodyLimit({
      maxSize: bodyLimitBytes,
      onError: () => {
        throw stop(413, problemTypes.tooLarge, [
          'the request is too large',
          `more than ${bodyLimitBytes} bytes`,
          'send less',
        ])
      },
    }),
  )

  app.get(routes.health, (c) => c.json({ name: 'gaffer', version, status: 'serving' } satisfies Health))
  app.route('/', pageRoutes(pageKeys))
  app.route('/api', taskRoutes(gaffer, protection.kind === 'unconfined' ? said(protection) : null))
  app.route('/api', commandRoutes(gaffer))
  app.route('/api', streamRoutes({ gaffer, closing, quietMs, onBug }))
  return app
}

const said = ({ why, todo }: Unconfined): Unconfined => ({ why, todo })

/** The page runs its own script and style, by their hashes, and talks to its own server; nothing else. */
const headers = (): Record<string, string> => ({
  'Content-Security-Policy': statusPage().policy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
})
