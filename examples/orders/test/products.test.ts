import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eraser, pencil, startApp } from './app-under-test.ts'

test('a product that was added is listed and found', async (t) => {
  const app = await startApp(t)
  const added = await app.post('/products', pencil)
  assert.equal(added.status, 201)
  assert.equal(added.headers.get('location'), '/products/PENCIL-2B')
  await app.post('/products', eraser)

  assert.deepEqual((await app.get('/products')).body, { products: [eraser, pencil] })
  assert.deepEqual((await app.get('/products/PENCIL-2B')).body, pencil)
})

test('a SKU is taken once', async (t) => {
  const app = await startApp(t)
  await app.post('/products', pencil)
  assert.equal((await app.post('/products', { ...pencil, name: 'Another' })).status, 409)
  assert.deepEqual((await app.get('/products/PENCIL-2B')).body, pencil)
})

test('a product that does not exist is a 404', async (t) => {
  const app = await startApp(t)
  assert.equal((await app.get('/products/NOTHING')).status, 404)
})

test('a product is refused unless every field is valid', async (t) => {
  const app = await startApp(t)
  const wrong = [
    { sku: 'pencil' },
    { sku: '' },
    { name: ' ' },
    { name: 7 },
    { priceCents: 1.5 },
    { priceCents: -1 },
    { priceCents: '120' },
  ]
  for (const field of wrong) assert.equal((await app.post('/products', { ...pencil, ...field })).status, 400)
  assert.deepEqual((await app.get('/products')).body, { products: [] })
})
