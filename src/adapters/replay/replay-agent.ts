import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { isAbsolute, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { InitializeResponse, NewSessionResponse, PromptResponse, SessionUpdate } from '@agentclientprotocol/sdk'
import { z } from 'zod'
import { chooseTurn } from './choose-turn.ts'
import { JsonRpcPeer, UnknownMethod } from './json-rpc.ts'
import { play, type Stage } from './play.ts'
import type { ReplaySession } from './step.ts'

const newSessionSchema = z.looseObject({ cwd: z.string().refine(isAbsolute, 'is not absolute') })
const promptSchema = z.looseObject({
  sessionId: z.string(),
  prompt: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
})
const cancelSchema = z.looseObject({ sessionId: z.string() })
const permissionSchema = z.looseObject({
  outcome: z.looseObject({ outcome: z.string(), optionId: z.string().optional() }),
})

interface Live {
  readonly cwd: string
  used: number
  turn: AbortController | undefined
}

export interface ReplayEnds {
  readonly input: Readable
  readonly output: Writable
  readonly env: NodeJS.ProcessEnv
  /** Ends the process at once. */
  readonly exit: (code: number) => never
}

/**
 * Speaks ACP as an agent that plays a session file. It is as free as any agent: what keeps it in its workspace is the
 * sandbox. Returns when its input ends.
 */
export async function runReplayAgent(session: ReplaySession, { input, output, env, exit }: ReplayEnds): Promise<void> {
  const peer = new JsonRpcPeer(output)
  const sessions = new Map<string, Live>()
  let calls = 0

  await peer.serve(input, async (method, params) => {
    switch (method) {
      case 'initialize':
        return {
          protocolVersion: 1,
          agentCapabilities: {},
          agentInfo: { name: 'gaffer-replay', title: session.model, version: '1' },
          authMethods: [],
        } satisfies InitializeResponse
      case 'session/new': {
        const id = `replay-${sessions.size + 1}`
        sessions.set(id, { cwd: newSessionSchema.parse(params).cwd, used: 0, turn: undefined })
        return { sessionId: id } satisfies NewSessionResponse
      }
      case 'session/prompt': {
        const { sessionId, prompt } = promptSchema.parse(params)
        return takeTurn(sessionId, prompt.map(({ text }) => text ?? '').join('\n'))
      }
      case 'session/cancel':
        sessions.get(cancelSchema.parse(params).sessionId)?.turn?.abort()
        return null
      default:
        throw new UnknownMethod(`there is no method ${method}`)
    }
  })

  async function takeTurn(id: string, prompt: string): Promise<PromptResponse> {
    const live = sessions.get(id)
    if (live === undefined) throw new Error(`there is no session ${id}`)
    const { turn, used } = chooseTurn(session, prompt, live.used)
    live.used = used
    live.turn = new AbortController()
    const stage = stageOf(id, live.cwd, live.turn.signal)
    if (turn === undefined) {
      await stage.say(`No turn of the session file answers: ${prompt.split('\n', 1)[0] ?? ''}`)
      return { stopReason: 'refusal' }
    }
    const ended = await play(turn.steps, stage)
    return { stopReason: ended === 'end-turn' ? 'end_turn' : ended }
  }

  function stageOf(id: string, workspace: string, cancelled: AbortSignal): Stage {
    const update = (value: SessionUpdate): Promise<void> =>
      peer.notify('session/update', { sessionId: id, update: value })
    const saying = (kind: 'agent_message_chunk' | 'agent_thought_chunk', text: string): Promise<void> =>
      update({ sessionUpdate: kind, content: { type: 'text', text: text.endsWith('\n') ? text : `${text}\n` } })

    return {
      workspace,
      cancelled,
      say: (text) => saying('agent_message_chunk', text),
      think: (text) => saying('agent_thought_chunk', text),
      async tool({ title, kind, failed, path, output: text }) {
        const toolCallId = `call-${(calls += 1)}`
        const locations = path === null ? [] : [{ path: resolve(workspace, path) }]
        await update({ sessionUpdate: 'tool_call', toolCallId, title, kind, status: 'in_progress', locations })
        const content = text === null ? [] : [{ type: 'content' as const, content: { type: 'text' as const, text } }]
        await update({
          sessionUpdate: 'tool_call_update',
          toolCallId,
          status: failed ? 'failed' : 'completed',
          content,
        })
      },
      async ask({ title, kind, path }) {
        const toolCallId = `call-${(calls += 1)}`
        const locations = path === null ? [] : [{ path: resolve(workspace, path) }]
        // "No" comes first, and the wide "yes" before the narrow one: who answers by position is found out.
        const options = [
          { optionId: 'no', name: 'No', kind: 'reject_once' },
          { optionId: 'always', name: 'Always', kind: 'allow_always' },
          { optionId: 'yes', name: 'Yes, once', kind: 'allow_once' },
        ]
        const toolCall = { toolCallId, title, kind, status: 'pending', locations }
        const answer = await peer.request('session/request_permission', { sessionId: id, toolCall, options })
        const { outcome } = permissionSchema.parse(answer)
        return outcome.outcome === 'selected' && outcome.optionId !== 'no'
      },
      run: (command) => shell(command, workspace, cancelled),
      spawn(command) {
        spawn('/bin/sh', ['-c', command], { cwd: workspace, env, detached: true, stdio: 'ignore' }).unref()
      },
      crash: (code) => Promise.resolve(exit(code)),
      async flood(bytes) {
        for (let sent = 0; sent < bytes; sent += 1_000) await saying('agent_message_chunk', 'x'.repeat(999))
        if (output.writableNeedDrain) await once(output, 'drain')
      },
    }
  }

  function shell(
    command: string,
    cwd: string,
    signal: AbortSignal,
  ): Promise<{ exitCode: number | null; output: string }> {
    return new Promise((resolved) => {
      const limits = { cwd, env, signal, maxBuffer: 1024 * 1024 }
      const child = execFile('/bin/sh', ['-c', command], limits, (_, stdout, stderr) =>
        resolved({ exitCode: child.exitCode, output: `${stdout}${stderr}` }),
      )
    })
  }
}
