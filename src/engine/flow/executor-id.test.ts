import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { isSurelyGone, newExecutorId } from './executor-id.ts'

test('every executor has a name of its own', () => {
  expect(newExecutorId()).not.toBe(newExecutorId())
})

test('only a process of this machine that ended is surely gone', async () => {
  const own = newExecutorId()
  expect(isSurelyGone(own)).toBe(false)

  const child = spawn('true')
  await once(child, 'exit')
  const [machine, , start, chance] = own.split('-')
  expect(isSurelyGone(`${machine}-${child.pid}-${start}-${chance}`)).toBe(true)
  expect(isSurelyGone(`elsewhere-${child.pid}-${start}-${chance}`)).toBe(false)
  expect(isSurelyGone('local')).toBe(false)
})

test.runIf(process.platform === 'linux')('a process number that another process has by now is surely gone', () => {
  const [machine, pid, , chance] = newExecutorId().split('-')
  expect(isSurelyGone(`${machine}-${pid}-1-${chance}`)).toBe(true)
})
