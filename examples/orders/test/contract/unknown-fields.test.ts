import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pencil, startApp } from '../app-under-test.ts'

const line = { sku: pencil.sku, quantity: 1 }
const sent: readonly (readonly [what: string, path: string, body: unknown])[] = [
  ['of an order', '/orders', { customer: 'ada@example.com', lines: [line], discount: 50 }],
  ['of an order line', '/orders', { customer: 'ada@example.com', lines: [{ ...line, unitPriceCents: 1 }] }],
  ['of a product', '/products', { ...pencil, colour: 'red' }],
]

test('what is not known is refused', async (t) => {
  const app = await startApp(t)

  for (const [what, path, body] of sent) {
    await t.test(`an unknown member ${what}`, async () => {
      const answer = await app.post(path, body)
      assert.equal(answer.status, 400)
      assert.equal((answer.body as Record<string, unknown>)['type'], 'urn:problem:unknown-field')
    })
  }

  await t.test('an unknown query parameter', async () => {
    const answer = await app.get('/products?page=2')
    assert.equal(answer.status, 400)
    assert.equal((answer.body as Record<string, unknown>)['type'], 'urn:problem:unknown-field')
  })
})
