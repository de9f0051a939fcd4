import type { Context, MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import { problemTypes } from '../contract/problem.ts'
import { routes } from '../contract/routes.ts'
import { isForeignPage } from './guard.ts'
import { sameSecret, type PageKeys } from './page-keys.ts'
import { stop } from './problems.ts'

export const sessionCookie = 'gaffer-page'

/** Everything under /api but its health needs the token; the page's own session may read. */
export const access =
  (token: string, pageKeys: PageKeys): MiddlewareHandler =>
  async (c, next) => {
    if (c.req.path === routes.health || hasToken(c, token) || (c.req.method === 'GET' && hasSession(c, pageKeys)))
      return next()
    throw stop(401, problemTypes.unauthenticated, [
      'who asks is not known',
      'the request carries no valid token',
      'use the `gaffer` command, as the user who started the server',
    ])
  }

export const hasSession = (c: Context, pageKeys: PageKeys): boolean => {
  const session = getCookie(c, sessionCookie)
  return session !== undefined && pageKeys.isSession(session) && !isForeignPage((name) => c.req.header(name))
}

const hasToken = (c: Context, token: string): boolean => {
  const [, given] = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(c.req.header('authorization') ?? '') ?? []
  return given !== undefined && sameSecret(given, token)
}
