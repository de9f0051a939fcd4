import { Hono } from 'hono'
import { setCookie } from 'hono/cookie'
import type { PageLink } from '../contract/health.ts'
import { hasSession, sessionCookie } from './access.ts'
import { renderLocked, statusPage } from './page/page.ts'
import type { PageKeys } from './page-keys.ts'

/** The status page, behind a link that works once. */
export function pageRoutes(pageKeys: PageKeys): Hono {
  const app = new Hono()

  app.get('/', (c) => {
    const key = c.req.query('key')
    if (key !== undefined) {
      const opened = pageKeys.redeem(key)
      if (opened !== undefined) {
        setCookie(c, sessionCookie, opened.session, {
          httpOnly: true,
          sameSite: 'Strict',
          path: '/',
          maxAge: opened.maxAgeSeconds,
        })
        return c.redirect('/', 303)
      }
      if (hasSession(c, pageKeys)) return c.redirect('/', 303)
      return c.html(renderLocked('This link has been used'), 403)
    }
    if (!hasSession(c, pageKeys)) return c.html(renderLocked('This page needs a link of its own'), 401)
    return c.html(statusPage().html)
  })

  app.post('/api/page-keys', (c) => {
    const { host } = new URL(c.req.url)
    return c.json({ url: `http://${host}/?key=${pageKeys.issue()}` } satisfies PageLink, 201)
  })
  return app
}
