import type { MiddlewareHandler } from 'hono'
import { problemTypes } from '../contract/problem.ts'
import { stop } from './problems.ts'

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]'])
const reading = new Set(['GET', 'HEAD'])

/**
 * Keeps web pages out. A foreign `Host` is DNS rebinding; a write that a page of another origin sends is refused,
 * pages on other loopback ports included. Requests of programs name no origin, and need the token anyway.
 */
export const guard: MiddlewareHandler = async (c, next) => {
  const host = c.req.header('host') ?? ''
  if (!loopback.has(hostName(host)))
    throw forbidden(
      `it was asked for as ${host.slice(0, 80) || 'no host at all'}`,
      'use the address that `gaffer up` printed',
    )

  const origin = c.req.header('origin')
  const site = c.req.header('sec-fetch-site')
  const own = origin === undefined || origin === `http://${host}`
  const sameSite = site === undefined || site === 'same-origin' || site === 'none'
  if (!reading.has(c.req.method) && !(own && sameSite))
    throw forbidden(`it comes from another page (${(origin ?? site ?? '').slice(0, 80)})`, 'use the command line')
  await next()
}

/** Whether a page of another origin asks; its reads by cookie are refused too. */
export const isForeignPage = (header: (name: string) => string | undefined): boolean => {
  const site = header('sec-fetch-site')
  return site === 'cross-site' || site === 'same-site'
}

export const forbidden = (why: string, todo: string): Error =>
  stop(403, problemTypes.forbidden, ['this request is not let in', why, todo])

const hostName = (host: string): string => host.replace(/:\d{1,5}$/, '').toLowerCase()
