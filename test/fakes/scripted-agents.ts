import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { chooseTurn } from '../../src/adapters/replay/choose-turn.ts'
import { play, type Stage } from '../../src/adapters/replay/play.ts'
import { parseSession } from '../../src/adapters/replay/session-file.ts'
import type { ReplaySession } from '../../src/adapters/replay/step.ts'
import { Fault, type FaultCode } from '../../src/domain/fault.ts'
import type { Agents, AgentSession, SessionEntry, SessionRequest, Turn } from '../../src/ports/agent.ts'

/**
 * Agents with no process: every session plays the same script, on the real files of its workspace. For tests of what
 * is built on Agents; it passes the same contract as the real ones.
 * @param script a session file's text, or a session
 */
export const scriptedAgents = (script: string | ReplaySession): Agents => {
  const session = typeof script === 'string' ? parseSession(script, 'the script') : script
  return {
    open: (request) =>
      request.signal?.aborted === true
        ? Promise.reject(faultOf('cancelled', 'the start of the agent was cancelled'))
        : Promise.resolve(openSession(session, request)),
  }
}

function openSession(session: ReplaySession, request: SessionRequest): AgentSession {
  const { workspace, limits, readOnly, decide } = request
  const record = (entry: SessionEntry): void => request.record?.(entry)
  const closing = new AbortController()
  let used = 0
  let over: Fault | undefined

  async function prompt(
    text: string,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Turn> {
    if (over !== undefined) throw over
    if (options.signal?.aborted === true) throw faultOf('cancelled', 'the turn was cancelled')
    const chosen = chooseTurn(session, text, used)
    used = chosen.used
    const cancelled = AbortSignal.any(
      options.signal === undefined ? [closing.signal] : [closing.signal, options.signal],
    )
    const ended = Promise.withResolvers<never>()
    const fail = (code: FaultCode, message: string): void => {
      over ??= faultOf(code, message)
      ended.reject(over)
    }
    const stage = stageOf(cancelled, fail)
    const timer = setTimeout(() => fail('agent-timeout', 'the agent did not end its turn in time'), options.timeoutMs)
    const cancel = (): void => fail('cancelled', 'the turn was cancelled')
    cancelled.addEventListener('abort', cancel)
    ended.promise.catch(() => undefined)
    try {
      if (chosen.turn === undefined) await stage.say('No turn of the session file answers this.')
      const steps = chosen.turn?.steps ?? []
      const stop = await Promise.race([play(steps, stage), ended.promise])
      const turn = { stop: chosen.turn === undefined ? ('refusal' as const) : stop, said: stage.said(), usage: null }
      record({ kind: 'turn-ended', stop: turn.stop })
      return turn
    } finally {
      clearTimeout(timer)
      cancelled.removeEventListener('abort', cancel)
    }
  }

  function stageOf(
    cancelled: AbortSignal,
    fail: (code: FaultCode, message: string) => void,
  ): Stage & { said(): string } {
    const said: string[] = []
    let bytes = 0
    const withLine = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`)
    return {
      workspace,
      cancelled,
      said: () => said.join(''),
      say(text) {
        bytes += Buffer.byteLength(text) + 100 // what ACP's envelope adds, roughly
        if (bytes > limits.outputBytes) fail('agent-flood', 'the agent printed more than its limit')
        said.push(withLine(text))
        record({ kind: 'said', text: withLine(text) })
        return Promise.resolve()
      },
      think(text) {
        record({ kind: 'thought', text: withLine(text) })
        return Promise.resolve()
      },
      tool({ title, failed, output }) {
        record({ kind: 'tool', id: title, title, status: failed ? 'failed' : 'completed', detail: output })
        return Promise.resolve()
      },
      async ask({ title, kind, path }) {
        const paths = path === null ? [] : [resolve(workspace, path)]
        const changes = ['edit', 'delete', 'move'].includes(kind)
        const denied = decide === undefined || (readOnly && changes)
        const decision = denied ? 'deny' : await decide({ title, kind, paths }).catch(() => 'deny' as const)
        record({ kind: 'permission', title, decision })
        return decision === 'allow'
      },
      run: (command) =>
        new Promise((done) => {
          const limit = { cwd: workspace, signal: cancelled }
          const child = execFile('/bin/sh', ['-c', command], limit, (_, stdout, stderr) =>
            done({ exitCode: child.exitCode, output: stdout + stderr }),
          )
        }),
      spawn: () => undefined, // nobody is left behind by an agent with no process
      crash(code) {
        fail('agent-vanished', `the agent exited with code ${code}`)
        return new Promise(() => undefined)
      },
      async flood(count) {
        for (let sent = 0; sent < count; sent += 1_000) await this.say('x'.repeat(999))
      },
    }
  }

  return {
    id: 'scripted',
    prompt,
    close() {
      over ??= faultOf('cancelled', 'the session was closed')
      closing.abort()
      return Promise.resolve()
    },
  }
}

const faultOf = (code: FaultCode, message: string): Fault =>
  new Fault(code, message, {
    hint: 'it is in the script',
    retryable: code === 'agent-vanished' || code === 'agent-timeout',
  })
