import { expect, test } from 'vitest'
import { system } from '../domain/actor.ts'
import { digest, taskId } from '../domain/ids.ts'
import type { EventFeed, StoredEvent } from '../ports/store.ts'
import { followAbandoned } from './task-signals.ts'

/** A feed whose events the test gives out. */
function feedByHand(): EventFeed & { say(id: string, type: string): void } {
  let tell: (event: StoredEvent) => void = () => undefined
  const stopped = Promise.withResolvers<void>()
  return {
    follow({ onEvent }) {
      tell = (event) => void onEvent(event)
      return {
        ready: Promise.resolve(),
        done: stopped.promise,
        stop() {
          stopped.resolve()
          return stopped.promise
        },
      }
    },
    say(id, type) {
      const event = { type }
      const at = '2026-01-02T03:04:05.678Z'
      const hash = digest(`sha256:${'0'.repeat(64)}`)
      tell({ position: 1, stream: `task/${id}`, version: 1, event, actor: system('test'), commandId: 'c', at, hash })
    },
  }
}
const id = taskId('orders-endpoint-7k2')

test('a task that is abandoned aborts its signal, and the one that is asked for later is aborted already', () => {
  const feed = feedByHand()
  const signals = followAbandoned(feed)
  const before = signals.of(id)
  expect(before.aborted).toBe(false)
  feed.say(id, 'unit-checkpointed')
  expect(signals.of(id)).toBe(before)
  feed.say(id, 'abandoned')
  expect(before.aborted).toBe(true)
  expect(signals.of(id).aborted).toBe(true)
  expect(signals.of(taskId('another-one-7k2')).aborted).toBe(false)
})

test('of tasks that were abandoned before anybody asked, the newest ten thousand are remembered', () => {
  const feed = feedByHand()
  const signals = followAbandoned(feed)
  for (let count = 0; count <= 10_000; count += 1) feed.say(`task-${count}-7k2`, 'abandoned')
  expect(signals.of(taskId('task-10000-7k2')).aborted).toBe(true)
  expect(signals.of(taskId('task-1-7k2')).aborted).toBe(true)
  expect(signals.of(taskId('task-0-7k2')).aborted).toBe(false)
})

test('a task that landed is not aborted', () => {
  const feed = feedByHand()
  const signals = followAbandoned(feed)
  const signal = signals.of(id)
  feed.say(id, 'landed')
  expect(signal.aborted).toBe(false)
})

test('what stops aborts every signal, and those that are asked for afterwards', async () => {
  const signals = followAbandoned(feedByHand())
  const signal = signals.of(id)
  await signals.stop()
  expect(signal.aborted).toBe(true)
  expect(signals.of(id).aborted).toBe(true)
})
