import { afterEach, beforeEach, expect, test } from 'vitest'
import { memoryEventStore } from '../../test/fakes/memory-event-store.ts'
import { Fault } from '../domain/fault.ts'
import { taskId } from '../domain/ids.ts'
import { settingsSchema } from '../domain/settings.ts'
import type { Agents, SessionEntry, SessionRequest, Turn } from '../ports/agent.ts'
import { systemClock } from '../ports/clock.ts'
import type { EventStore } from '../ports/store.ts'
import { createConversations, type TurnRequest } from './conversations.ts'

const task = taskId('orders-endpoint-7k2')
const ended: Turn = { stop: 'end-turn', said: '', usage: null }
const away = new Fault('database-unavailable', 'the database is away', { hint: 'wait for it', retryable: true })

/** An agent whose turn is what the test makes of it. */
const agentThat = (
  turn: (record: (entry: SessionEntry) => void, request: SessionRequest) => Promise<Turn>,
): Agents => ({
  open: (request) =>
    Promise.resolve({
      id: 'by hand',
      prompt: () => turn(request.record ?? (() => undefined), request),
      close: () => Promise.resolve(),
    }),
})
const quiet = agentThat(() => Promise.resolve(ended))

const settings = (passEnv: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  settingsSchema.parse({
    version: 1,
    gates: { check: { gate: 'command' } },
    agents: { a: { command: ['agent'], passEnv, env } },
  })
const request = (more: Partial<TurnRequest> = {}): TurnRequest => ({
  key: `${task}/build`,
  task,
  agent: { name: 'a', argv: ['agent'], env: {}, model: null, network: 'none' },
  workspace: '/srv/workspace',
  home: '/srv/home',
  readOnly: false,
  readable: [],
  settings: settings(),
  fresh: 'do it',
  continued: 'go on',
  signal: new AbortController().signal,
  ...more,
})

let rejections: unknown[] = []
const hear = (reason: unknown): void => void rejections.push(reason)
beforeEach(() => {
  rejections = []
  process.on('unhandledRejection', hear)
})
afterEach(() => {
  process.off('unhandledRejection', hear)
})
/** Long enough for a rejection that nobody handles to be noticed. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

test('a database that is away during a talkative turn fails the turn with that fault, and nothing is written after it', async () => {
  const store = memoryEventStore()
  let appends = 0
  const failing: EventStore = {
    ...store,
    append: (stream, expected, batch) => {
      appends += 1
      return appends === 2 ? Promise.reject(away) : store.append(stream, expected, batch)
    },
  }
  const agents = agentThat(async (record) => {
    for (let count = 0; count < 1_000; count += 1) record({ kind: 'said', text: `${count}` })
    await settled() // the second batch has failed, and nobody waits for it yet
    for (let count = 0; count < 1_000; count += 1) record({ kind: 'said', text: `${count}` })
    return ended
  })
  const conversations = createConversations({ agents, store: failing, clock: systemClock })
  await expect(conversations.turn(request())).rejects.toBe(away)
  await settled()
  expect(rejections).toEqual([])
  expect(appends).toBe(2)
  expect(store.all).toHaveLength(200) // the first batch, and no later one
})

test('a session that does not start leaves a record of why', async () => {
  const store = memoryEventStore()
  const missing = new Fault('agent-missing', 'there is no such agent', { hint: 'install it' })
  const agents: Agents = {
    open: ({ record }) => {
      record?.({ kind: 'stderr', text: 'cannot start' })
      return Promise.reject(missing)
    },
  }
  const conversations = createConversations({ agents, store, clock: systemClock })
  await expect(conversations.turn(request())).rejects.toBe(missing)
  expect(store.all.map(({ event }) => event)).toEqual([
    { kind: 'stderr', text: 'cannot start' },
    { kind: 'fault', fault: missing.toJSON() },
  ])
})

test('why a session did not start is told even when it cannot be recorded', async () => {
  const missing = new Fault('agent-missing', 'there is no such agent', { hint: 'install it' })
  const store = { ...memoryEventStore(), append: () => Promise.reject(away) }
  const agents: Agents = { open: () => Promise.reject(missing) }
  const conversations = createConversations({ agents, store, clock: systemClock })
  await expect(conversations.turn(request())).rejects.toBe(missing)
})

test('an agent that is starting hears that its task was abandoned', async () => {
  const abandoned = new AbortController()
  const seen: (AbortSignal | undefined)[] = []
  const agents: Agents = {
    open: (asked) => {
      seen.push(asked.signal)
      return quiet.open(asked)
    },
  }
  await createConversations({ agents, store: memoryEventStore(), clock: systemClock }).turn(
    request({ signal: abandoned.signal }),
  )
  expect(seen).toEqual([abandoned.signal])
})

test('changed files are recorded exactly as they are, and one with a token in it is only named', async () => {
  const store = memoryEventStore()
  const conversations = createConversations({ agents: quiet, store, clock: systemClock })
  const code = "export interface Login { password: string; token: string }\nconst url = 'postgres://user:pass@db/x'\n"
  await conversations.turn(request())
  conversations.note(`${task}/build`, {
    kind: 'changed',
    files: [
      { path: 'src/login.ts', content: code },
      { path: 'src/key.ts', content: `const key = '${`ghp_${'b'.repeat(36)}`}'` },
      { path: 'src/gone.ts', content: null },
    ],
    omitted: ['logo.png'],
  })
  await conversations.closeAll()
  expect(store.all.at(-1)?.event).toEqual({
    kind: 'changed',
    files: [
      { path: 'src/login.ts', content: code },
      { path: 'src/gone.ts', content: null },
    ],
    omitted: ['logo.png', 'src/key.ts'],
  })
})

test('the value of a passed variable is nowhere in the record, whatever it looks like', async () => {
  const store = memoryEventStore()
  const value = 'correct "horse" battery'
  const agents = agentThat((record) => {
    record({ kind: 'said', text: `I was given ${value}` })
    record({ kind: 'tool', id: '1', title: value, status: 'failed', detail: JSON.stringify({ key: value }) })
    record({ kind: 'stderr', text: `mode=${'production'} ${value}${value}` })
    record({ kind: 'changed', files: [{ path: 'a.txt', content: `x${value}x` }], omitted: [`${value}.txt`] })
    throw new Fault('agent-refused', `it refused ${value}`, { hint: 'look' })
  })
  const conversations = createConversations({ agents, store, clock: systemClock })
  const agent = { ...request().agent, env: { KEY: value, MODE: 'production', SHORT: 'abc' } }
  const turn = conversations.turn(
    request({ agent, settings: settings(['KEY', 'SHORT', 'UNSET', 'MODE'], { MODE: 'production' }) }),
  )
  await expect(turn).rejects.toMatchObject({ code: 'agent-refused' })
  const record = JSON.stringify(store.all)
  expect(record).not.toContain('horse')
  expect(record).toContain('mode=production') // declared for everybody to read: no secret
  expect(store.all.map(({ event }) => event)).toContainEqual({
    kind: 'changed',
    files: [],
    omitted: ['[redacted].txt', 'a.txt'],
  })
})
