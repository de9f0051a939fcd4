import { describe, expect, it } from 'vitest'
import { appUnderTest, host, token } from '../../test/fakes/served-app.ts'
import { problemSchema } from '../contract/problem.ts'
import { createPageKeys } from './page-keys.ts'

const get = (
  app: ReturnType<typeof appUnderTest>['app'],
  path: string,
  headers: Record<string, string> = {},
): Response | Promise<Response> => app.request(`http://${host}${path}`, { headers: { host, ...headers } })

describe('who is let in', () => {
  it('says that it serves to everybody who reaches it, and nothing else', async () => {
    const { app } = appUnderTest()
    const answer = await get(app, '/api/health')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ name: 'gaffer', version: '1.2.3', status: 'serving' })
  })

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer wrong' }],
    ['a token that begins like the right one', { authorization: `Bearer ${token.slice(0, -1)}` }],
    ['the token in another scheme', { authorization: `Basic ${token}` }],
    ['a cookie that nobody gave', { cookie: 'gaffer-page=99999999999999.AAAA' }],
  ])('turns away %s', async (_, headers) => {
    const { app } = appUnderTest()
    for (const path of ['/api/tasks', '/api/stream', '/api/tasks/orders-endpoint-7k2', '/api/nothing-here']) {
      const answer = await get(app, path, headers)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(problemSchema.parse(await answer.json()).todo).toContain('gaffer')
    }
  })

  it('lets the token in', async () => {
    const { app } = appUnderTest()
    expect((await get(app, '/api/tasks', { authorization: `Bearer ${token}` })).status).toBe(200)
  })

  it.each([
    'evil.example.com',
    'evil.example.com:7447',
    '127.0.0.1.evil.example.com',
    '10.0.0.1:7447',
    '',
    '0.0.0.0:7447',
  ])('answers 403 to the foreign host %j, health and page included', async (foreign) => {
    const { app } = appUnderTest()
    for (const path of ['/', '/api/health', '/api/tasks'])
      expect((await get(app, path, { host: foreign, authorization: `Bearer ${token}` })).status).toBe(403)
  })

  it.each(['127.0.0.1:7447', 'localhost:7447', 'localhost', '[::1]:7447', 'LOCALHOST:1'])(
    'knows itself as %s',
    async (own) => {
      const { app } = appUnderTest()
      expect((await get(app, '/api/health', { host: own })).status).toBe(200)
    },
  )

  it.each([
    ['another site', { origin: 'https://evil.example.com' }],
    ['another loopback port', { origin: 'http://127.0.0.1:3000' }],
    ['loopback by another name', { origin: 'http://localhost:7447' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['a form of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a form of another port', { 'sec-fetch-site': 'same-site' }],
  ])('answers 403 to a write of %s, even with the token', async (_, headers: Record<string, string>) => {
    const { ask, gaffer, open } = appUnderTest({ planApproval: true })
    const id = await open()
    const body = { type: 'abandon', actor: 'maria@example.com', because: 'x' }
    const answer = await ask(`/api/tasks/${id}/commands`, { method: 'POST', body, headers })
    expect(answer.status).toBe(403)
    expect((await gaffer.task(id))?.task.state).toBe('drafted')
  })

  it('lets a write of its own origin through', async () => {
    const { ask, open } = appUnderTest()
    const id = await open()
    const body = { type: 'abandon', actor: 'maria@example.com', because: 'not needed' }
    const headers = { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }
    expect((await ask(`/api/tasks/${id}/commands`, { method: 'POST', body, headers })).status).toBe(200)
  })
})

describe('the status page', () => {
  it('opens with a link that works once, and stays open by a cookie that scripts cannot read', async () => {
    const { app, pageKeys } = appUnderTest()
    const key = pageKeys.issue()
    const opened = await get(app, `/?key=${key}`)
    expect(opened.status).toBe(303)
    expect(opened.headers.get('location')).toBe('/')
    const cookie = opened.headers.get('set-cookie') ?? ''
    expect(cookie).toContain('HttpOnly')
    expect(cookie).toContain('SameSite=Strict')

    const session = { cookie: cookie.split(';', 1)[0] ?? '' }
    const page = await get(app, '/', session)
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('<title>Gaffer</title>')
    expect((await get(app, '/api/tasks', session)).status).toBe(200)

    expect((await get(app, `/?key=${key}`)).status).toBe(403)
  })

  it('shows nothing without a session', async () => {
    const { app } = appUnderTest()
    const page = await get(app, '/')
    expect(page.status).toBe(401)
    expect(await page.text()).toContain('gaffer page')
  })

  it('reads and never writes', async () => {
    const { app, pageKeys, open } = appUnderTest()
    const id = await open()
    const opened = await get(app, `/?key=${pageKeys.issue()}`)
    const cookie = (opened.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? ''
    const answer = await app.request(`http://${host}/api/tasks/${id}/commands`, {
      method: 'POST',
      headers: { host, cookie, origin: `http://${host}` },
      body: JSON.stringify({ type: 'abandon', actor: 'maria@example.com', because: 'x' }),
    })
    expect(answer.status).toBe(401)
  })

  it('does not read for a page of another port, which shares its cookies', async () => {
    const { app, pageKeys } = appUnderTest()
    const opened = await get(app, `/?key=${pageKeys.issue()}`)
    const cookie = (opened.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? ''
    expect((await get(app, '/api/tasks', { cookie, 'sec-fetch-site': 'same-site' })).status).toBe(401)
  })

  it('gives a fresh link to whoever has the token', async () => {
    const { app, ask } = appUnderTest()
    const made = await ask('/api/page-keys', { method: 'POST' })
    expect(made.status).toBe(201)
    const { url } = (await made.json()) as { url: string }
    const { pathname, search } = new URL(url)
    expect((await get(app, `${pathname}${search}`)).status).toBe(303)
  })

  it('runs its own script and style and nothing else', async () => {
    const { app } = appUnderTest()
    const { headers } = await get(app, '/')
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
    expect(policy).toContain("frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })
})

describe('page sessions', () => {
  it('end after their time, and end when the token changes', () => {
    let now = Date.UTC(2026, 0, 1)
    const keys = createPageKeys('one', () => now)
    const session = keys.redeem(keys.issue())?.session ?? ''
    expect(keys.isSession(session)).toBe(true)
    expect(createPageKeys('two', () => now).isSession(session)).toBe(false)
    now += 31 * 24 * 3_600_000
    expect(keys.isSession(session)).toBe(false)
  })

  it('cannot be stretched by changing their expiry', () => {
    const keys = createPageKeys('one')
    const [expiry, proof] = (keys.redeem(keys.issue())?.session ?? '').split('.')
    expect(keys.isSession(`${Number(expiry) + 1}.${proof}`)).toBe(false)
  })
})
