import type { IncomingMessage, RequestListener } from 'node:http'
import type { Database } from './database/database.ts'
import { json, refuse, type Answer } from './http/answer.ts'
import { unknownField } from './http/fields.ts'
import { readJson } from './http/json-body.ts'
import { matchPath, type Route } from './http/route.ts'
import { send } from './http/send.ts'
import { traceOf, type TraceId } from './http/trace.ts'
import type { Log } from './log.ts'
import { orderRoutes } from './orders/order-routes.ts'
import { productRoutes } from './products/product-routes.ts'

export interface Parts {
  readonly database: Database
  readonly log: Log
}

/** The whole service as a listener for `http.createServer`. It keeps no state but that of its parts. */
export function createApp({ database, log }: Parts): RequestListener {
  const routes = [health, ...productRoutes(database), ...orderRoutes(database)]

  return (request, response) => {
    const trace = traceOf(request.headers['traceparent'])
    const startedMs = performance.now()
    const told = { trace, method: request.method ?? '', path: pathOf(request) }

    void answerOf(request, routes)
      .catch((error: unknown) => failed(error, told, log))
      .then((answer) => {
        const status = send(response, answer, trace)
        const tookMs = Math.round(performance.now() - startedMs)
        log({ level: 'info', event: 'answered', ...told, status, tookMs })
      })
  }
}

interface Told {
  readonly trace: TraceId
  readonly method: string
  readonly path: string
}

const health: Route = { method: 'GET', path: '/health', answer: () => json(200, { status: 'ok' }) }

const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?', 1)[0] ?? '/'

async function answerOf(request: IncomingMessage, routes: readonly Route[]): Promise<Answer> {
  const path = pathOf(request)
  const here = routes.flatMap((route) => {
    const params = matchPath(route.path, path)
    return params === undefined ? [] : [{ route, params }]
  })
  if (here.length === 0) return notFound

  const found = here.find(({ route }) => route.method === request.method)
  if (found === undefined) return methodNotAllowed(here.map(({ route }) => route.method))

  // No route reads the query, so whatever stands there is a mistake of the caller's.
  const [parameter] = new URLSearchParams((request.url ?? '').slice(path.length)).keys()
  if (parameter !== undefined) return unknownField(parameter, [])

  return await found.route.answer({ params: found.params, body: () => readJson(request) })
}

const notFound = refuse({
  status: 404,
  name: 'not-found',
  title: 'There is nothing here',
  detail: 'No endpoint has this path.',
})

const methodNotAllowed = (methods: readonly string[]): Answer =>
  refuse(
    {
      status: 405,
      name: 'method-not-allowed',
      title: 'The method is not allowed',
      detail: `This path takes ${methods.join(', ')}.`,
    },
    { allow: methods.join(', ') },
  )

/** Anything that a route throws is ours: the caller is told that it failed, the log is told why. */
function failed(error: unknown, told: Told, log: Log): Answer {
  log({
    level: 'error',
    event: 'failed',
    ...told,
    why: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })
  return refuse({
    status: 500,
    name: 'internal-error',
    title: 'The service failed',
    detail: 'The fault is ours and has been logged. Quote the instance when you report it.',
  })
}
