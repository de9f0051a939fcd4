import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gafferProgram, run, servedGaffer } from '../../test/fakes/command-line.ts'
import manifest from '../../package.json' with { type: 'json' }

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gaffer-usage-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('gaffer by itself', () => {
  it('says its version', async () => {
    expect(await run(['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' })
  })

  it('starts through a symlink, whatever Node is on the PATH', async () => {
    const link = join(folder, 'gaffer')
    await symlink(gafferProgram, link)
    const ended = await run(['--version'], { program: [link], env: { PATH: '/usr/bin:/bin' } })
    expect(ended.stdout).toBe(`${manifest.version}\n`)
  })

  it('says what to do where there is no Node that is new enough', async () => {
    const clone = join(folder, 'clone')
    await mkdir(join(clone, 'bin'), { recursive: true })
    const old = join(folder, 'old')
    await mkdir(old)
    await writeFile(join(old, 'node'), '#!/bin/sh\necho v20.20.2\n', { mode: 0o755 })
    const copy = join(clone, 'bin', 'gaffer')
    await run([gafferProgram, copy], { program: ['cp'] })
    const ended = await run(['--version'], { program: [copy], env: { PATH: `${old}:/bin` } })
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain('too old')
    expect(ended.stderr).toContain('script/bootstrap')
  })

  it('shows every command when none is named', async () => {
    const { code, stdout } = await run([])
    expect(code).toBe(0)
    for (const command of ['init', 'delegate', 'review', 'sign', 'verify', 'doctor'])
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'))
  })

  it.each([
    [['stauts'], 'status'],
    [['status', '--nothing'], '--nothing'],
    [['plan'], 'task'],
    [['abandon', 'orders-endpoint-7k2'], '--because'],
    [['plan', 'orders-endpoint-7k2', '--approve', '--revise', 'x'], 'opposite'],
    [['review', 'orders-endpoint-7k2', '--request-changes', 'x', '--as', 'a@example.com'], '--unit'],
    [['up', '--port', 'x'], '65535'],
    [['watch', 'orders-endpoint-7k2', '--until', 'done'], 'landed'],
    [['verify', '--evidence-keys', 'x'], '--allowed-signers'],
  ])('ends with 2 for %j, and says what is wrong', async (argv, says) => {
    const { code, stdout, stderr } = await run(argv, { env: { GAFFER_DATA: folder } })
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain(says)
    expect(stderr).toMatch(/^to do {2}\S/m)
  })

  it('says how to start it when nothing runs, and ends with 3', async () => {
    const { code, stderr } = await run(['status'], { env: { GAFFER_DATA: folder } })
    expect(code).toBe(3)
    expect(stderr).toContain('gaffer up')
    expect(stderr).toContain(folder)
  })

  it.each([
    ['nobody listens any more', '{"url":"http://127.0.0.1:9","pid":1,"tokenFile":"TOKEN"}'],
    ['the address is not on this machine', '{"url":"http://example.com:80","pid":1,"tokenFile":"TOKEN"}'],
    ['it is not JSON', '{'],
    ['the token is gone', '{"url":"http://127.0.0.1:9","pid":1,"tokenFile":"/nowhere"}'],
  ])('says so when the server file is of no use: %s', async (_, content) => {
    const data = await mkdtemp(join(folder, 'data-'))
    await writeFile(join(data, 'token'), 'secret-token')
    await writeFile(join(data, 'server.json'), content.replace('TOKEN', join(data, 'token')))
    const { code, stderr } = await run(['status', '--data', data])
    expect(code).toBe(3)
    expect(stderr).toContain('gaffer up')
    expect(stderr).not.toContain('secret-token')
  })

  it('finds the data folder by GAFFER_DATA, by XDG, and by --data before both', async () => {
    await using served = await servedGaffer()
    expect((await run(['status'], { env: { GAFFER_DATA: served.data } })).code).toBe(0)
    expect((await run(['status', '--data', served.data], { env: { GAFFER_DATA: folder } })).code).toBe(0)
    const unknown = await run(['status'], { env: { XDG_DATA_HOME: folder } })
    expect(unknown.stderr).toContain(join(folder, 'gaffer'))
  })
})
