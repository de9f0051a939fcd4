import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run, type Ended } from '../../test/fakes/command-line.ts'

const main = resolve(import.meta.dirname, '..', '..', 'test', 'fakes', 'local-main.ts')
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gaffer-local-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const local = (argv: readonly string[], answers: object = {}, input = ''): Promise<Ended> =>
  run(argv, {
    program: [process.execPath, main],
    cwd: folder,
    env: { ANSWERS: JSON.stringify(answers), GAFFER_DATA: folder },
    input,
  })
const sha = 'a'.repeat(40)

describe('verify', () => {
  it('ends with 0 only when every commit is attested', async () => {
    expect((await local(['verify'], { commits: [{ sha, status: 'attested' }] })).code).toBe(0)
    const bad = await local(['verify', 'main~3..main'], {
      commits: [
        { sha, status: 'attested' },
        { sha, status: 'bypass', why: 'no landing names it' },
      ],
    })
    expect(bad.code).toBe(1)
    expect(bad.stdout).toContain('no landing names it')
    expect(bad.stdout).toContain('1 of 2 commits did not come through the chain')
  })

  it('answers with the document that programs know', async () => {
    const { stdout } = await local(['verify', '--json'], { commits: [{ sha, status: 'tampered', why: 'x' }] })
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, commits: [{ sha, status: 'tampered', why: 'x' }] })
  })

  it('takes the keys of the one who verifies, as they stand in their files', async () => {
    for (const name of ['signers', 'keys']) await writeFile(join(folder, name), `the ${name}`)
    const { stdout } = await local([
      'verify',
      'x..y',
      '--allowed-signers',
      'signers',
      '--evidence-keys',
      'keys',
      '--json',
    ])
    expect(JSON.parse(stdout)).toMatchObject({
      range: 'x..y',
      trust: { kind: 'files', allowedSigners: 'the signers', evidenceKeys: 'the keys' },
    })
    expect((await local(['verify', '--allowed-signers', 'nowhere', '--evidence-keys', 'keys'])).code).toBe(2)
  })

  it('ends with 1 outside of a repository, with 2 for a range that means nothing, with 3 for what is ours', async () => {
    expect((await local(['verify'], { throw: 'not-a-repository' })).code).toBe(1)
    expect((await local(['verify'], { throw: 'bad-input' })).code).toBe(2)
    expect((await local(['verify'], { throw: 'git-failed' })).code).toBe(3)
  })
})

describe('doctor', () => {
  it('is content with warnings and not with failures', async () => {
    const fine = await local(['doctor'], {
      checks: [
        { name: 'git', state: 'ok' },
        { name: 'sandbox', state: 'warn', todo: 'install bubblewrap' },
      ],
    })
    expect(fine.code).toBe(0)
    expect(fine.stdout).toMatch(/^ok {4}git {6}git says$/m)
    expect(fine.stdout).toContain('install bubblewrap')
    expect((await local(['doctor'], { checks: [{ name: 'git', state: 'fail', todo: 'install git' }] })).code).toBe(1)
  })

  it('takes a check that could not run, and no check at all, for failures', async () => {
    const threw = await local(['doctor', '--json'], { checks: [{ name: 'database', state: 'ok', throws: true }] })
    expect(threw.code).toBe(1)
    expect(JSON.parse(threw.stdout)).toEqual({
      ok: false,
      checks: [{ name: 'database', state: 'fail', says: 'Postgres does not start', todo: 'look at its log' }],
    })
    expect((await local(['doctor'])).code).toBe(1)
  })
})

describe('brief check', () => {
  it('names the place of every error, and ends with 1', async () => {
    await writeFile(join(folder, 'brief.md'), 'title: x\n')
    const bad = await local(['brief', 'check', 'brief.md'])
    expect(bad.code).toBe(1)
    expect(bad.stdout).toMatch(/^brief\.md:1 {2}error {2}names no owner {2}owner-missing$/m)
    await writeFile(join(folder, 'brief.md'), 'owner: x\n')
    const good = await local(['brief', 'check', 'brief.md', '--json'])
    expect([good.code, JSON.parse(good.stdout)]).toEqual([0, { ok: true, problems: [] }])
    expect((await local(['brief', 'check', 'nowhere.md'])).code).toBe(2)
  })
})

describe('hooks, rebuilding and replaying', () => {
  it('refuses a push on standard error, which git passes on', async () => {
    const refused = await local(['hook', 'pre-receive'], { lines: ['main is protected:'] }, 'old new refs/heads/main\n')
    expect(refused).toEqual({ code: 1, stdout: '', stderr: 'gaffer: main is protected: old new refs/heads/main\n' })
    expect((await local(['hook', 'pre-receive'], {}, 'x\n')).code).toBe(0)
  })

  it('installs a hook, or says why it could not', async () => {
    expect((await local(['hook', 'install'])).stdout).toContain('hooks/pre-receive')
    const taken = await local(['hook', 'install'], { hook: 'taken' })
    expect(taken.code).toBe(1)
    expect(taken.stderr).toContain('add a line to it')
  })

  it('ends with 1 when a stream of events is not what was written', async () => {
    expect((await local(['rebuild'])).stdout).toContain('rebuilt 2 tasks from 40 events')
    const tampered = await local(['rebuild'], { tampered: ['task/x-7k2'] })
    expect(tampered.code).toBe(1)
    expect(tampered.stdout).toMatch(/tampered {2}task\/x-7k2 {2}#3/)
  })

  it('is the replay agent, prints nothing of its own, and ends as it ends', async () => {
    expect(await local(['replay', 'session.yaml'])).toEqual({ code: 7, stdout: '', stderr: '' })
  })
})

describe('serving', () => {
  const start = (argv: readonly string[], answers: object = {}) =>
    spawn(process.execPath, [main, ...argv], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', GAFFER_DATA: folder, ANSWERS: JSON.stringify(answers) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })

  it.each(['SIGINT', 'SIGTERM'] as const)('says where it serves, and ends cleanly on %s', async (signal) => {
    const child = start(['up', '--json'])
    const ended = once(child, 'close')
    let said = ''
    for await (const chunk of child.stdout) {
      if (said === '') child.kill(signal) // once: the second time ends it at once
      said += String(chunk)
    }
    expect((await ended)[0]).toBe(0)
    const [first, last] = said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(first).toMatchObject({
      url: 'http://127.0.0.1:7447',
      pageUrl: 'http://127.0.0.1:7447/?key=once',
      data: folder,
    })
    expect(last).toEqual({ stopped: true })
  })

  it('says loudly that nothing confines agents, to people and to programs', async () => {
    const said = async (argv: readonly string[], answers: object): Promise<string> => {
      const child = start(argv, answers)
      let words = ''
      for await (const chunk of child.stdout) {
        words += String(chunk)
        if (words.includes(argv.includes('--json') ? '\n' : 'Ctrl-C') && !child.killed) child.kill('SIGTERM')
      }
      return words
    }
    const unconfined = 'there is no bubblewrap'
    expect(await said(['up'], { unconfined })).toMatch(
      /^UNCONFINED {2}agents can read and write whatever you can: there is no bubblewrap; install bubblewrap$/m,
    )
    const [first = ''] = (await said(['up', '--json'], { unconfined })).split('\n')
    expect(JSON.parse(first)).toMatchObject({ protection: { kind: 'unconfined', why: unconfined } })
    expect(await said(['up'], {})).not.toContain('UNCONFINED')
  })

  it('says what to do when it cannot', async () => {
    const ended = await local(['up'], { throw: 'data-folder-in-use' })
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain('do something about it')
  })
})
