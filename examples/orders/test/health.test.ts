import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from './app-under-test.ts'
import { openDatabase } from './database-under-test.ts'

test('the service says that it is up', async (t) => {
  const app = await startApp(t)
  const answer = await app.get('/health')
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.body, { status: 'ok' })
})

test('every answer is logged with the trace of its caller', async (t) => {
  const app = await startApp(t)
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  await app.get('/health', { traceparent: `00-${trace}-00f067aa0ba902b7-01` })
  assert.equal(app.logged.length, 1)
  const [entry] = app.logged
  assert.deepEqual(
    { ...entry, tookMs: 0 },
    { level: 'info', event: 'answered', trace, method: 'GET', path: '/health', status: 200, tookMs: 0 },
  )
})

test('a failure of ours is a 500 that tells the caller nothing and the log why', async (t) => {
  const { database } = await openDatabase(t)
  const app = await startApp(t, { database })
  await database.close()
  const answer = await app.get('/products')
  assert.equal(answer.status, 500)
  assert.doesNotMatch(JSON.stringify(answer.body), /closed/)
  const failure = app.logged.find(({ event }) => event === 'failed')
  assert.match(String(failure?.['why']), /the database is closed/)
})
