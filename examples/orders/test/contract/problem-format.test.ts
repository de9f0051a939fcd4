import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from '../app-under-test.ts'

// Our partners' clients parse problems strictly: a member they do not know is an error to them.
const members = ['detail', 'instance', 'status', 'title', 'type']

const refused: readonly (readonly [what: string, path: string, init: RequestInit, status: number])[] = [
  ['a path that does not exist', '/nothing', {}, 404],
  ['a method that a path does not take', '/health', { method: 'DELETE' }, 405],
  ['a body that is not JSON', '/orders', { method: 'POST', body: '{' }, 400],
  ['a body that is too large', '/orders', { method: 'POST', body: ' '.repeat(100_000) }, 413],
  ['a field that is not valid', '/orders', { method: 'POST', body: '{"customer":null,"lines":[]}' }, 400],
  ['a field that is not known', '/products', { method: 'POST', body: '{"colour":"red"}' }, 400],
  ['a product that does not exist', '/products/NOTHING', {}, 404],
]

test('every refusal is a problem with exactly these members', async (t) => {
  const app = await startApp(t)

  for (const [what, path, init, status] of refused) {
    await t.test(what, async () => {
      const answer = await app.ask(path, init)
      assert.equal(answer.status, status)
      assert.equal(answer.headers.get('content-type'), 'application/problem+json')

      const body = answer.body as Record<string, unknown>
      assert.deepEqual(Object.keys(body).toSorted(), members)
      assert.equal(body['status'], status)
      assert.match(String(body['type']), /^urn:problem:[a-z]+(-[a-z]+)*$/)
      assert.match(String(body['instance']), /^urn:trace:[0-9a-f]{32}$/)
      for (const member of ['title', 'detail']) assert.match(String(body[member]), /\S/)
    })
  }
})

test("a problem's instance is the caller's own trace", async (t) => {
  const app = await startApp(t)
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const { body } = await app.get('/nothing', { traceparent })
  assert.equal((body as Record<string, unknown>)['instance'], 'urn:trace:4bf92f3577b34da6a3ce929d0e0e4736')
})
