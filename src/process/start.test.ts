import { once } from 'node:events'
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { findProgram } from './find-program.ts'
import { listProcesses } from './proc.ts'
import { start } from './start.ts'

const env = { PATH: '/usr/bin:/bin' }

test('a started process talks over its pipes and says how it ended', async () => {
  const running = await start(['/bin/sh', '-c', 'read line; echo "heard $line"; exit 4'], { cwd: '/', env })
  running.stdin.write('you\n')
  const [heard]: unknown[] = await once(running.stdout, 'data')
  expect(String(heard)).toBe('heard you\n')
  expect(await running.exited).toEqual({ exitCode: 4, signal: null })
  await running.stop()
})

test('stopping ends it and its children, and may be repeated', async () => {
  const running = await start(['/bin/sh', '-c', 'sleep 600 & echo $!; wait'], { cwd: '/', env })
  const [child]: unknown[] = await once(running.stdout, 'data')
  await Promise.all([running.stop(), running.stop()])
  await running.stop()
  const left = listProcesses().filter(({ pid, zombie }) => pid === Number(String(child)) && !zombie)
  expect(left).toEqual([])
  expect(await running.exited).toEqual({ exitCode: null, signal: 'SIGTERM' })
})

test('writing to a process that is gone is no crash of ours', async () => {
  const running = await start(['/bin/true'], { cwd: '/', env })
  await running.exited
  running.stdin.write('anybody?')
  await expect(running.stop()).resolves.toBeUndefined()
})

test('a program that is not there is command-missing', async () => {
  await expect(start(['gaffer-no-such-program'], { cwd: '/', env })).rejects.toMatchObject({ code: 'command-missing' })
})

test('a program is found on the path, by its own path, or not at all', async () => {
  expect(await findProgram('sh', '/nowhere:/bin', '/')).toBe('/bin/sh')
  expect(await findProgram('bin/sh', '', '/')).toBe('/bin/sh')
  expect(await findProgram('gaffer-no-such-program', '/usr/bin:/bin', '/')).toBeUndefined()
  expect(await findProgram(basename(import.meta.filename), import.meta.dirname, '/')).toBeUndefined()
})
