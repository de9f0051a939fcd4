import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AgentCommand, Agents, AgentSession, SessionEntry, SessionRequest } from '../../src/ports/agent.ts'

/** Agents that play a session file, however they do it. `folder` is fresh, for files of their own. */
export interface PreparedAgents {
  readonly agents: Agents
  readonly agent: AgentCommand
  readonly readable: readonly string[]
}

/** What every implementation of Agents does, shown with an agent that plays a session file. */
export function agentsContract(
  name: string,
  prepare: (sessionFile: string, folder: string) => Promise<PreparedAgents>,
  missing: string | null = null,
): void {
  describe.skipIf(missing !== null)(`${name} as agents${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
    let folder = ''
    let workspace = ''
    let entries: SessionEntry[] = []
    let sessions: AgentSession[] = []

    beforeEach(async () => {
      folder = await realpath(await mkdtemp(join(tmpdir(), 'gaffer-agents-')))
      workspace = join(folder, 'workspace')
      entries = []
      sessions = []
      for (const each of ['workspace', 'home', 'files']) await mkdir(join(folder, each))
      await writeFile(join(workspace, 'a.ts'), 'const a = 1\n')
    })
    afterEach(async () => {
      await Promise.all(sessions.map((session) => session.close()))
      await rm(folder, { recursive: true })
    })

    async function open(sessionFile: string, more: Partial<SessionRequest> = {}): Promise<AgentSession> {
      const { agents, agent, readable } = await prepare(sessionFile, join(folder, 'files'))
      const home = join(folder, 'home')
      const session = await agents.open({
        agent,
        workspace,
        home,
        readOnly: false,
        confinement: { cwd: workspace, home, writable: [workspace, home], readable, network: 'none' },
        limits: { startMs: 30_000, outputBytes: 1_000_000 },
        record: (entry) => entries.push(entry),
        ...more,
      })
      sessions.push(session)
      return session
    }
    const limits = { timeoutMs: 30_000 }
    const kinds = (): readonly string[] => entries.map(({ kind }) => kind)

    test('a turn changes the workspace, and what passed is recorded in order', async () => {
      const session = await open(`version: 1
turns:
  - do:
      - think: let me see
      - say: I will change it
      - edit: { path: a.ts, find: "= 1", replace: "= 2" }
      - write: { path: src/deep/b.ts, content: "export {}" }
      - delete: src/deep/b.ts
      - write: { path: c.ts, content: "héllo" }
      - run: "cat c.ts; exit 3"
      - answer: { done: true }
`)
      const turn = await session.prompt('do it', limits)

      expect(turn).toEqual({
        stop: 'end-turn',
        said: 'I will change it\n```json\n{\n  "done": true\n}\n```\n',
        usage: null,
      })
      expect(await readFile(join(workspace, 'a.ts'), 'utf8')).toBe('const a = 2\n')
      expect(await readFile(join(workspace, 'c.ts'), 'utf8')).toBe('héllo')
      expect(existsSync(join(workspace, 'src'))).toBe(false)
      expect(kinds().filter((kind, index) => kind !== kinds()[index - 1])).toEqual([
        'thought',
        'said',
        'tool',
        'said',
        'turn-ended',
      ])
      const ran = entries.findLast((entry) => entry.kind === 'tool')
      expect(ran).toMatchObject({ title: 'cat c.ts; exit 3', status: 'failed', detail: 'héllo' })
      expect(session.id).not.toBe('')
    })

    const asking = `version: 1
turns:
  - do:
      - ask: { title: Change a.ts, kind: edit, path: a.ts, onAllow: [{ say: allowed }], onDeny: [{ say: denied }] }
`
    test('a permission is asked for with what it is about, and "yes" is passed on', async () => {
      const asked: unknown[] = []
      const session = await open(asking, {
        decide: (request) => {
          asked.push(request)
          return Promise.resolve('allow')
        },
      })
      expect((await session.prompt('do it', limits)).said).toBe('allowed\n')
      expect(asked).toEqual([{ title: 'Change a.ts', kind: 'edit', paths: [join(workspace, 'a.ts')] }])
      expect(entries).toContainEqual({ kind: 'permission', title: 'Change a.ts', decision: 'allow' })
    })

    test('"no" is passed on', async () => {
      const session = await open(asking, { decide: () => Promise.resolve('deny') })
      expect((await session.prompt('do it', limits)).said).toBe('denied\n')
      expect(entries).toContainEqual({ kind: 'permission', title: 'Change a.ts', decision: 'deny' })
    })

    test('where nobody answers permissions, or answering fails, nothing is allowed', async () => {
      const unanswered = await open(asking)
      expect((await unanswered.prompt('do it', limits)).said).toBe('denied\n')
      const failing = await open(asking, { decide: () => Promise.reject(new Error('away')) })
      expect((await failing.prompt('do it', limits)).said).toBe('denied\n')
    })

    test('in a read-only session no change is allowed, whatever is decided', async () => {
      const session = await open(asking, { readOnly: true, decide: () => Promise.resolve('allow') })
      expect((await session.prompt('do it', limits)).said).toBe('denied\n')
    })

    test('a turn is known by its header, in every session again', async () => {
      const file = `version: 1
turns:
  - { when: stage=build unit=b, do: [{ say: built b }] }
  - { when: stage=build, do: [{ say: built something }] }
  - { do: [{ say: first }] }
  - { do: [{ say: second }] }
`
      for (const each of [await open(file), await open(file)]) {
        const say = async (text: string): Promise<string> => (await each.prompt(text, limits)).said
        expect(await say('[gaffer] task=t-abc stage=build unit=b round=2\nGo on.')).toBe('built b\n')
        expect(await say('[gaffer] task=t-abc stage=build unit=bb round=1')).toBe('built something\n')
        expect(await say('hello')).toBe('first\n')
        expect(await say('[gaffer] task=t-abc stage=build unit=b round=2')).toBe('built b\n')
        expect(await say('hello')).toBe('second\n')
      }
    })

    test('a prompt that no turn answers is refused', async () => {
      const session = await open('{ version: 1, turns: [] }')
      expect(await session.prompt('hello', limits)).toMatchObject({ stop: 'refusal' })
    })

    test('a step that cannot be played ends the turn, and says why', async () => {
      const session = await open(`version: 1
turns:
  - do:
      - edit: { path: a.ts, find: "not there", replace: "" }
      - say: never said
`)
      const turn = await session.prompt('hello', limits)
      expect(turn.stop).toBe('refusal')
      expect(turn.said).toBe('I could not edit: the text to replace is in a.ts 0 times, not once\n')
    })

    test('an agent that crashes has vanished, and stays away', async () => {
      const session = await open('{ version: 1, turns: [{ do: [{ say: going }, { crash: 3 }] }] }')
      const crashed = session.prompt('hello', limits)
      await expect(crashed).rejects.toMatchObject({ code: 'agent-vanished', retryable: true })
      await expect(crashed).rejects.toThrow('exited with code 3')
      await expect(session.prompt('hello', limits)).rejects.toMatchObject({ code: 'agent-vanished' })
      expect(entries).toContainEqual({ kind: 'said', text: 'going\n' })
    })

    test('an agent that hangs runs into its time limit', async () => {
      const session = await open('{ version: 1, turns: [{ do: [{ hang: true }] }] }')
      await expect(session.prompt('hello', { timeoutMs: 300 })).rejects.toMatchObject({ code: 'agent-timeout' })
      await expect(session.prompt('hello', limits)).rejects.toMatchObject({ code: 'agent-timeout' })
    })

    test('a turn can be cancelled', async () => {
      const session = await open('{ version: 1, turns: [{ do: [{ run: "touch begun" }, { wait: 600 }] }] }')
      const abort = new AbortController()
      const ending = session.prompt('hello', { ...limits, signal: abort.signal }).catch((error: unknown) => error)
      await expect.poll(() => existsSync(join(workspace, 'begun')), { timeout: 20_000 }).toBe(true)
      abort.abort()
      expect(await ending).toMatchObject({ code: 'cancelled' })
    })

    test('a start that is cancelled before it begins starts nothing', async () => {
      const opening = open('version: 1\nturns: []\n', { signal: AbortSignal.abort() })
      await expect(opening).rejects.toMatchObject({ code: 'cancelled', retryable: false })
    })

    test('a turn that is cancelled before it begins does nothing, and the session lives on', async () => {
      const session = await open('{ version: 1, turns: [{ do: [{ say: hello }] }] }')
      const turn = session.prompt('hello', { ...limits, signal: AbortSignal.abort() })
      await expect(turn).rejects.toMatchObject({ code: 'cancelled' })
      expect((await session.prompt('hello', limits)).said).toBe('hello\n')
    })

    test('an agent that says more than its limit in one turn is stopped', async () => {
      const session = await open('{ version: 1, turns: [{ do: [{ flood: 900000 }] }, { do: [{ flood: 2000000 }] }] }', {
        limits: { startMs: 30_000, outputBytes: 1_500_000 },
      })
      expect((await session.prompt('hello', limits)).stop).toBe('end-turn')
      await expect(session.prompt('hello', limits)).rejects.toMatchObject({ code: 'agent-flood', retryable: false })
    })

    test('closing ends a turn under way, and may be repeated', async () => {
      const session = await open('{ version: 1, turns: [{ do: [{ run: "touch begun" }, { wait: 600 }] }] }')
      const ending = session.prompt('hello', limits).catch((error: unknown) => error)
      await expect.poll(() => existsSync(join(workspace, 'begun')), { timeout: 20_000 }).toBe(true)
      await Promise.all([session.close(), session.close()])
      await session.close()
      expect(await ending).toMatchObject({ code: 'cancelled' })
      await expect(session.prompt('hello', limits)).rejects.toMatchObject({ code: 'cancelled' })
    })
  })
}
