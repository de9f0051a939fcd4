import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eraser, pencil, startApp } from '../app-under-test.ts'

test('an order is answered with 201, its place and all of itself', async (t) => {
  const app = await startApp(t)
  await app.post('/products', pencil)
  await app.post('/products', eraser)
  const lines = [
    { sku: pencil.sku, quantity: 3 },
    { sku: eraser.sku, quantity: 1 },
  ]
  const answer = await app.post('/orders', { customer: 'ada@example.com', lines })
  assert.equal(answer.status, 201)
  assert.equal(answer.headers.get('content-type'), 'application/json')

  const { id, placedAt, ...rest } = answer.body as Record<string, unknown>
  assert.match(String(id), /^ord_[0-9a-f]{24}$/)
  assert.equal(answer.headers.get('location'), `/orders/${String(id)}`)
  assert.equal(new Date(String(placedAt)).toISOString(), placedAt)
  assert.deepEqual(rest, {
    customer: 'ada@example.com',
    lines: [
      { sku: pencil.sku, quantity: 3, unitPriceCents: 120 },
      { sku: eraser.sku, quantity: 1, unitPriceCents: 85 },
    ],
    totalCents: 445,
  })
})

test('an order for a product that does not exist is a 422', async (t) => {
  const app = await startApp(t)
  const answer = await app.post('/orders', { customer: 'ada@example.com', lines: [{ sku: 'NOTHING', quantity: 1 }] })
  assert.equal(answer.status, 422)
  assert.equal((answer.body as Record<string, unknown>)['type'], 'urn:problem:unknown-product')
})
