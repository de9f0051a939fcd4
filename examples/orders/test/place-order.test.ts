import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eraser, pencil, startApp } from './app-under-test.ts'

test('an order for a product that does not exist leaves nothing behind', async (t) => {
  const app = await startApp(t)
  await app.post('/products', pencil)
  const lines = [
    { sku: pencil.sku, quantity: 1 },
    { sku: 'NOTHING', quantity: 1 },
  ]
  assert.equal((await app.post('/orders', { customer: 'ada@example.com', lines })).status, 422)

  assert.deepEqual(await app.database.query('SELECT id FROM orders'), [])
})

test('orders placed at once are all stored whole', async (t) => {
  const app = await startApp(t)
  await app.post('/products', pencil)
  await app.post('/products', eraser)
  const lines = [
    { sku: pencil.sku, quantity: 1 },
    { sku: eraser.sku, quantity: 2 },
  ]
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => app.post('/orders', { customer: `buyer-${index}@example.com`, lines })),
  )
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]))

  const stored = await app.database.query('SELECT count(*) AS lines FROM order_lines GROUP BY order_id')
  assert.deepEqual(
    stored.map(({ lines: count }) => count),
    Array.from({ length: 20 }, () => 2),
  )
})

test('an order is refused unless every field is valid', async (t) => {
  const app = await startApp(t)
  await app.post('/products', pencil)
  const line = { sku: pencil.sku, quantity: 1 }
  const wrong = [
    null,
    [],
    { customer: 'ada', lines: [line] },
    { customer: 'ada@example.com' },
    { customer: 'ada@example.com', lines: [] },
    { customer: 'ada@example.com', lines: [{ ...line, quantity: 0 }] },
    { customer: 'ada@example.com', lines: [{ ...line, quantity: 1.5 }] },
    { customer: 'ada@example.com', lines: [{ ...line, sku: null }] },
    { customer: 'ada@example.com', lines: [null] },
  ]
  for (const body of wrong) assert.equal((await app.post('/orders', body)).status, 400)
})
