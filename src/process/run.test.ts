import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findLeftovers } from './leftovers.ts'
import { listProcesses } from './proc.ts'
import { run, runBytes, type RunOptions } from './run.ts'

const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' }
const sh = (line: string, more: Partial<RunOptions> = {}) =>
  run(['/bin/sh', '-c', line], { cwd: '/', env, timeoutMs: 20_000, outputBytes: 10_000, ...more })
const isLinux = process.platform === 'linux'

describe('running a command', () => {
  test('a non-zero exit is a value, and both outputs are kept', async () => {
    const ran = await sh('echo out; echo err >&2; exit 3')
    expect(ran).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n', truncated: false })
  })

  test('a command that a signal ended has no exit code', async () => {
    expect((await sh('kill -9 $$')).exitCode).toBeNull()
  })

  test('nothing of our own environment is inherited', async () => {
    process.env['GAFFER_TEST_LEAK'] = 'leaked'
    const { stdout } = await run(['/usr/bin/env'], { cwd: '/', env: { A: 'b' }, timeoutMs: 20_000, outputBytes: 9_999 })
    delete process.env['GAFFER_TEST_LEAK']
    expect(stdout).toBe('A=b\n')
  })

  test('what is given as stdin is read, and a command that does not read it is fine', async () => {
    expect((await sh('cat', { stdin: 'hello' })).stdout).toBe('hello')
    expect((await sh('exit 0', { stdin: 'x'.repeat(1_000_000) })).exitCode).toBe(0)
  })

  test('a program that is not there is command-missing', async () => {
    const missing = run(['gaffer-no-such-program'], { cwd: '/', env, timeoutMs: 20_000, outputBytes: 100 })
    await expect(missing).rejects.toMatchObject({ code: 'command-missing' })
  })

  test('a file that is no program is command-missing', async () => {
    const missing = run([import.meta.filename], { cwd: '/', env, timeoutMs: 20_000, outputBytes: 100 })
    await expect(missing).rejects.toMatchObject({ code: 'command-missing' })
  })

  test('a working folder that is not there is not blamed on the program', async () => {
    await expect(sh('true', { cwd: '/no/such/folder' })).rejects.toMatchObject({ code: 'bad-input' })
  })

  test('output past the limit is left out of the middle, and said', async () => {
    const { stdout, truncated } = await sh('echo begin; head -c 100000 /dev/zero | tr "\\0" x; echo; echo end', {
      outputBytes: 1_000,
    })
    expect(truncated).toBe(true)
    expect(stdout).toMatch(/^begin\nx+\n\[… 99011 bytes left out …\]\nx+\nend\n$/)
  })

  test('bytes that are no UTF-8 are replaced in text and kept as bytes', async () => {
    expect((await sh("printf 'a\\377b'")).stdout).toBe('a\uFFFDb')
    const argv = ['/bin/sh', '-c', "printf 'a\\377b'"] as const
    const { stdout } = await runBytes(argv, { cwd: '/', env, timeoutMs: 20_000, outputBytes: 99 })
    expect([...stdout]).toEqual([0x61, 0xff, 0x62])
  })
})

describe('ending a command', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gaffer-process-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('a command that takes too long is ended, and its last words are told', async () => {
    const slow = sh('echo almost there; sleep 600', { timeoutMs: 300, label: 'the slow one' })
    await expect(slow).rejects.toMatchObject({ code: 'command-timeout', retryable: true })
    await expect(slow).rejects.toThrow(/the slow one did not finish within 0.3 s.*almost there/s)
  })

  test('a command that ignores SIGTERM is killed', async () => {
    const stubborn = sh('trap "" TERM; echo $$; while true; do sleep 0.05; done', { timeoutMs: 200, graceMs: 100 })
    await expect(stubborn).rejects.toMatchObject({ code: 'command-timeout' })
  })

  test('an abort ends it', async () => {
    const abort = new AbortController()
    const running = sh('sleep 600', { signal: abort.signal })
    abort.abort()
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    await expect(sh('true', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
  })

  test('children left in the background are gone when it returns', async () => {
    const { stdout } = await sh('sleep 600 >/dev/null & echo $!')
    expect(isRunning(Number(stdout))).toBe(false)
  })

  test('children that hold its output open do not keep it from returning', async () => {
    const { stdout } = await sh('sleep 600 & echo $!')
    expect(isRunning(Number(stdout))).toBe(false)
  })

  test.runIf(isLinux)('a marked child that left for a session of its own is found and ended', async () => {
    const mark = `test-${process.pid}-${folder.slice(-6)}`
    const { stdout } = await sh('setsid sh -c "echo \\$\\$; (sleep 600 &) ; sleep 600" & sleep 0.3', { mark })
    expect(Number(stdout)).toBeGreaterThan(0)
    expect(isRunning(Number(stdout))).toBe(false)
    expect(findLeftovers(mark)).toEqual([])
  })
})

/** A zombie that nobody reaps does not run. */
const isRunning = (pid: number): boolean => {
  expect(pid).toBeGreaterThan(1)
  return listProcesses().some((entry) => entry.pid === pid && !entry.zombie)
}
