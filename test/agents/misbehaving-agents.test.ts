import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AgentSession, SessionEntry, SessionRequest, Turn } from '../../src/ports/agent.ts'
import type { Sandbox } from '../../src/ports/sandbox.ts'
import { listProcesses } from '../../src/process/proc.ts'
import { start } from '../../src/process/start.ts'
import { bwrapSandbox } from '../../src/adapters/bwrap/bwrap-sandbox.ts'
import { unconfinedSandbox } from '../../src/adapters/unconfined/unconfined-sandbox.ts'
import { acpAgents } from '../../src/adapters/acp/acp-agents.ts'

const source = resolve(import.meta.dirname, '../..')
const rude = join(source, 'test/fakes/rude-agent.mjs')
const replay = join(source, 'src/adapters/replay/main.ts')

let folder = ''
let entries: SessionEntry[] = []
let sessions: AgentSession[] = []
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'gaffer-acp-')))
  entries = []
  sessions = []
  for (const each of ['workspace', 'home', 'beside']) await mkdir(join(folder, each))
})
afterEach(async () => {
  await Promise.all(sessions.map((session) => session.close()))
  await rm(folder, { recursive: true })
})

interface Wish extends Partial<SessionRequest> {
  readonly argv?: readonly [string, ...string[]]
  readonly sandbox?: Sandbox
  readonly model?: string
}
async function open(
  manner: string,
  { argv, sandbox = unconfinedSandbox(), model, ...more }: Wish = {},
): Promise<AgentSession> {
  const [workspace, home] = [join(folder, 'workspace'), join(folder, 'home')]
  const session = await acpAgents({ sandbox }).open({
    agent: { name: 'rude', argv: argv ?? ['node', rude, manner], env: {}, model: model ?? null },
    workspace,
    home,
    readOnly: false,
    confinement: { cwd: workspace, home, writable: [workspace, home], readable: [source], network: 'none' },
    limits: { startMs: 20_000, outputBytes: 1_000_000 },
    record: (entry) => entries.push(entry),
    ...more,
  })
  sessions.push(session)
  return session
}
const turnOf = async (manner: string, argument = '', more: Wish = {}): Promise<Turn> => {
  const session = await open(manner, { argv: ['node', rude, manner, argument], ...more })
  return session.prompt('hello', { timeoutMs: 20_000 })
}

describe('an agent that does not start is told apart by what is wrong', () => {
  test('its program is not there', async () => {
    const missing = open('', { argv: ['gaffer-no-such-agent', 'acp'] })
    await expect(missing).rejects.toMatchObject({ code: 'agent-missing', retryable: false })
    await expect(missing).rejects.toThrow('there is no program gaffer-no-such-agent')
  })

  test('it exits at once', async () => {
    await expect(open('exits-at-once')).rejects.toMatchObject({ code: 'agent-vanished' })
    await expect(open('exits-at-once')).rejects.toThrow('exited with code 7 while it was starting')
  })

  test('it exits and says why: its last words are told, its secrets are not', async () => {
    await expect(open('exits-with-words')).rejects.toThrow(/it said: no configuration found, api_key=\[redacted\]$/)
  })

  test.each([
    ['prints-usage', 'it printed `Usage: agent [options] --help  this`'],
    ['chats-on-stdout', 'it printed `thinking about it…'],
    ['other-version', 'it speaks version 99'],
    ['nonsense-answer', 'its answer to initialize'],
    ['no-such-method', 'it refused initialize'],
    ['session-without-id', 'its answer to session/new'],
  ])('it speaks no ACP: %s', async (manner, words) => {
    const opening = open(manner)
    await expect(opening).rejects.toMatchObject({ code: 'agent-not-acp' })
    await expect(opening).rejects.toThrow(words)
  })

  test('it only repeats what it hears', async () => {
    await expect(open('', { argv: ['cat'] })).rejects.toMatchObject({ code: 'agent-not-acp' })
  })

  test('it hangs, having greeted in another language or not', async () => {
    const limits = { startMs: 600, outputBytes: 1_000 }
    await expect(open('hangs', { limits })).rejects.toMatchObject({ code: 'agent-timeout' })
    await expect(open('greets-and-hangs', { limits })).rejects.toMatchObject({ code: 'agent-not-acp' })
  })

  test('it hangs while it starts, and nobody waits for it any more: it is ended at once', async () => {
    const abandoned = new AbortController()
    let pid = 0
    const opening = open('hangs', {
      argv: ['sh', '-c', `echo $$ >&2; exec node ${rude} hangs`],
      signal: abandoned.signal,
      limits: { startMs: 600_000, outputBytes: 1_000 },
      record: (entry) => {
        pid = entry.kind === 'stderr' ? Number(entry.text) : pid
        abandoned.abort()
      },
    })
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' })
    expect(pid).toBeGreaterThan(0)
    expect(listProcesses().filter((running) => running.pid === pid && !running.zombie)).toEqual([])
  })

  test.each(['floods-stdout', 'floods-stderr'])('%s', async (manner) => {
    await expect(open(manner)).rejects.toMatchObject({ code: 'agent-flood' })
  })

  test('it wants to be logged in, or its session breaks', async () => {
    await expect(open('wants-login')).rejects.toMatchObject({ code: 'agent-refused', retryable: false })
    await expect(open('wants-login')).rejects.toHaveProperty('hint', expect.stringContaining('logged in'))
    await expect(open('breaks-session')).rejects.toThrow('out of cheese')
  })
})

describe('an agent that fails in a turn is told apart by what is wrong', () => {
  test('a signal ended it', async () => {
    const killed = turnOf('is-killed')
    await expect(killed).rejects.toMatchObject({ code: 'agent-vanished', retryable: true })
    await expect(killed).rejects.toThrow('was ended by SIGKILL in the middle of a turn')
  })

  test('it closed its output and stays', async () => {
    await expect(turnOf('closes-stdout')).rejects.toThrow('closed its output in the middle of a turn')
  })

  test('it answers with an error: the session goes on', async () => {
    const session = await open('answers-with-error')
    for (let turn = 0; turn < 2; turn += 1)
      await expect(session.prompt('hello', { timeoutMs: 20_000 })).rejects.toMatchObject({
        code: 'agent-refused',
        retryable: true,
      })
  })

  test('its answer is none of ACP', async () => {
    await expect(turnOf('answers-with-nonsense')).rejects.toMatchObject({ code: 'agent-not-acp' })
  })

  test('it ignores a cancel and is killed', async () => {
    const session = await open('ignores-cancel')
    await expect(session.prompt('hello', { timeoutMs: 200 })).rejects.toMatchObject({ code: 'agent-timeout' })
  })

  test('it answers and exits: the turn counts, the session is over', async () => {
    const session = await open('answers-and-exits')
    expect(await session.prompt('hello', { timeoutMs: 20_000 })).toMatchObject({ stop: 'end-turn', said: 'bye' })
    await expect(session.prompt('hello', { timeoutMs: 20_000 })).rejects.toMatchObject({ code: 'agent-vanished' })
  })
})

describe('what an agent sends', () => {
  test('stderr is recorded, whatever bytes it has', async () => {
    await turnOf('noisy-stderr')
    expect(entries).toContainEqual({ kind: 'stderr', text: 'f\uFFFD\uFFFDo\n' })
  })

  test.each([
    [{ usage: { totalTokens: 3, inputTokens: 1, outputTokens: 2 } }, { inputTokens: 1, outputTokens: 2 }],
    [{ _meta: { quota: { token_count: { input_tokens: 5, output_tokens: 6 } } } }, { inputTokens: 5, outputTokens: 6 }],
    [{ usage: { inputTokens: 4 } }, { inputTokens: 4, outputTokens: null }],
    [{ usage: { inputTokens: 'many' } }, null],
    [{}, null],
  ])('usage %j is %j: unknown is never zero', async (sent, usage) => {
    expect((await turnOf('reports-usage', JSON.stringify(sent))).usage).toEqual(usage)
  })

  test('a permission request may come before its tool call, and is answered by kind', async () => {
    const asked: unknown[] = []
    const decide: SessionRequest['decide'] = (request) => {
      asked.push(request)
      return Promise.resolve('allow')
    }
    const answer = async (kinds: readonly string[], how: Wish): Promise<string> =>
      (await turnOf('asks-first', JSON.stringify(kinds), how)).said

    expect(await answer(['reject_once', 'allow_always', 'allow_once'], { decide })).toContain('"id-of-allow_once"')
    expect(asked).toEqual([{ title: 'Write x', kind: 'edit', paths: ['/x'] }])
    expect(entries.filter(({ kind }) => kind === 'permission' || kind === 'tool')).toEqual([
      { kind: 'permission', title: 'Write x', decision: 'allow' },
      { kind: 'tool', id: 't', title: 'Write x', status: 'completed', detail: 'changes /x' },
      { kind: 'tool', id: 't', title: 'Write x', status: 'completed', detail: 'changes /x' },
    ])
    // Where there is no single yes, a lasting one is not given.
    expect(await answer(['allow_always', 'reject_always'], { decide })).toContain('"id-of-reject_always"')
    expect(await answer(['allow_always'], { decide })).toBe('{"outcome":{"outcome":"cancelled"}}')
    expect(await answer(['allow_once', 'reject_once'], {})).toContain('"id-of-reject_once"')
  })

  test('it gets no file by way of our process', async () => {
    expect((await turnOf('reads-files-by-us')).said).toContain('-32601')
  })

  test('the model that is asked for is chosen where the agent offers models, and must be one of them', async () => {
    expect((await turnOf('offers-models', '', { model: 'large' })).said).toContain('offers-models large')
    await expect(open('offers-models', { model: 'huge' })).rejects.toMatchObject({ code: 'agent-refused' })
    await expect(open('offers-models', { model: 'huge' })).rejects.toThrow('it has small, large')
  })

  test('a line of greeting on stdout is heard and forgiven', async () => {
    expect((await turnOf('greets-and-works')).stop).toBe('end-turn')
    expect(entries[0]).toEqual({ kind: 'stderr', text: 'Welcome!\n' })
  })

  test('malformed messages change nothing: the turn goes on', { timeout: 120_000 }, async () => {
    const json = fc.json().map((text) => `${text}\n`)
    const nearly = fc
      .record(
        {
          jsonrpc: fc.constantFrom('2.0', '1.0', 2),
          id: fc.oneof(fc.constantFrom(0, 1, 2, 3, 99, null, 'q', {}), fc.double()),
          method: fc.oneof(fc.constantFrom('session/update', 'session/request_permission', 'x', 7), fc.string()),
          params: fc.oneof(
            fc.json(),
            fc.record({
              sessionId: fc.constantFrom('s', 't', 3),
              update: fc.record({
                sessionUpdate: fc.constantFrom('agent_message_chunk', 'tool_call', 'tool_call_update', 'plan', 'odd'),
                content: fc.oneof(fc.constant(null), fc.json(), fc.array(fc.json())),
                toolCallId: fc.oneof(fc.constant('t'), fc.integer()),
                entries: fc.json(),
              }),
            }),
          ),
          error: fc.oneof(fc.string(), fc.record({ code: fc.double(), message: fc.integer() })),
        },
        { requiredKeys: [] },
      )
      .map((message) => `${JSON.stringify(message)}\n`)
    const bytes = fc
      .uint8Array({ maxLength: 60 })
      .map((part) => Buffer.concat([part, Buffer.from('\n')]).toString('latin1'))
    const line = fc.oneof(json, nearly, bytes).map((text) => Buffer.from(text, 'latin1').toString('base64'))
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 60 }), async (lines) => {
        // An answer with the id of our prompt would end the turn, rightly.
        const turn = await turnOf('sends-lines', JSON.stringify(lines), {
          limits: { startMs: 20_000, outputBytes: 9_999_999 },
        })
        expect(turn.stop).toBe('end-turn')
        expect(turn.said).toContain('still here')
        await sessions.pop()?.close()
      }),
      { numRuns: 25 },
    )
  })
})

const protection = await bwrapSandbox().protects()
/** Elsewhere only the process group is known. */
const onLinux = process.platform === 'linux' ? '' : ' (skipped: processes are found by /proc)'
const why = protection.kind === 'confined' ? '' : ` (not on this machine: ${protection.why})`

describe.skipIf(process.platform !== 'linux')(`when Gaffer itself is killed${onLinux}`, () => {
  // In bubblewrap the kernel ends the agent with its parent.
  test('the agent it left behind is ended before the next session opens on its workspace', async () => {
    const token = `595.${process.pid}`
    const [workspace, home] = [join(folder, 'workspace'), join(folder, 'home')]
    const confinement = { cwd: workspace, home, writable: [workspace, home], readable: [source], network: 'none' }
    const argv = ['sh', '-c', `trap '' TERM; sleep ${token} & exec node ${rude} works`]
    const request = {
      agent: { name: 'rude', argv, env: {}, model: null },
      workspace,
      home,
      readOnly: false,
      confinement,
      limits: { startMs: 20_000, outputBytes: 9_999 },
    }
    const gaffer = await start(
      [
        process.execPath,
        '--input-type=module',
        '-e',
        `
        import { acpAgents } from ${JSON.stringify(join(source, 'src/adapters/acp/acp-agents.ts'))}
        import { unconfinedSandbox } from ${JSON.stringify(join(source, 'src/adapters/unconfined/unconfined-sandbox.ts'))}
        await acpAgents({ sandbox: unconfinedSandbox() }).open(${JSON.stringify(request)})
        console.log('open')
        setInterval(() => undefined, 1_000)`,
      ],
      { cwd: source, env: { PATH: process.env['PATH'] ?? '' } },
    )
    await once(gaffer.stdout, 'data')
    process.kill(gaffer.pid, 'SIGKILL')
    await gaffer.exited
    expect(await sleeping(token)).not.toEqual([])
    const turn = await (await open('works')).prompt('hello', { timeoutMs: 20_000 })
    expect(turn.stop).toBe('end-turn')
    expect(await sleeping(token)).toEqual([])
    await gaffer.stop()
  })
})

describe.each([
  { name: `bubblewrap${why}`, sandbox: bwrapSandbox(), missing: protection.kind !== 'confined' },
  { name: `no sandbox${onLinux}`, sandbox: unconfinedSandbox(), missing: process.platform !== 'linux' },
])('what an agent leaves behind in $name', ({ sandbox, missing }) => {
  test.skipIf(missing)('processes it forked off are gone after close, sessions of their own or not', async () => {
    const token = `597.${process.pid}`
    const session = await open('forks-and-ends', { argv: ['node', rude, 'forks-and-ends', token], sandbox })
    await session.prompt('hello', { timeoutMs: 20_000 })
    expect(await sleeping(token)).not.toEqual([])
    await session.close()
    expect(await sleeping(token)).toEqual([])
  })

  test.skipIf(missing)(
    'processes it forked off are gone after its death, though they hold its output open',
    async () => {
      const token = `596.${process.pid}`
      const session = await open('forks-and-dies', { argv: ['node', rude, 'forks-and-dies', token], sandbox })
      await expect(session.prompt('hello', { timeoutMs: 20_000 })).rejects.toMatchObject({ code: 'agent-vanished' })
      await session.close()
      expect(await sleeping(token)).toEqual([])
    },
  )
})

describe.skipIf(protection.kind !== 'confined')(`an agent in bubblewrap${why}`, () => {
  const sandbox = bwrapSandbox()

  test('what it writes through a symlink that leaves its workspace reaches nothing', async () => {
    await writeFile(join(folder, 'beside', 'secret'), 'secret')
    await writeFile(
      join(folder, 'home', 'session.yaml'),
      `version: 1
turns:
  - do:
      - symlink: { path: out, target: ../beside }
      - write: { path: out/secret, content: changed }
`,
    )
    const argv = [process.execPath, replay, join(folder, 'home', 'session.yaml')] as const
    const turn = await (await open('', { argv, sandbox })).prompt('hello', { timeoutMs: 20_000 })
    expect(turn.stop).toBe('refusal')
    expect(await readFile(join(folder, 'beside', 'secret'), 'utf8')).toBe('secret')
  })

  test('a read-only session writes nothing at all into the workspace', async () => {
    await symlink('/etc/hosts', join(folder, 'workspace', 'link'))
    await writeFile(
      join(folder, 'home', 'session.yaml'),
      '{ version: 1, turns: [{ do: [{ write: { path: x, content: y } }] }] }',
    )
    const argv = [process.execPath, replay, join(folder, 'home', 'session.yaml')] as const
    const turn = await (await open('', { argv, sandbox, readOnly: true })).prompt('hello', { timeoutMs: 20_000 })
    expect(turn).toMatchObject({ stop: 'refusal', said: expect.stringContaining('EROFS') })
  })
})

/** Processes of this machine that sleep for this many seconds. */
async function sleeping(token: string): Promise<readonly string[]> {
  const lines = listProcesses().map(({ pid }) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''))
  return (await Promise.all(lines)).filter((line) => line.includes(`sleep\0${token}`))
}
