import { setTimeout as pause } from 'node:timers/promises'
import { methods, type RequestPermissionRequest, type RequestPermissionResponse } from '@agentclientprotocol/sdk'
import { Fault } from '../../domain/fault.ts'
import type { AgentSession, SessionRequest, Turn } from '../../ports/agent.ts'
import type { Running } from '../../process/start.ts'
import { AgentLine } from './agent-line.ts'
import { readTurnEnd } from './answers.ts'
import * as faults from './faults.ts'
import { handshake } from './handshake.ts'
import { answerPermission } from './permission.ts'
import { SessionUpdates, toolSchema } from './session-updates.ts'

/** How long an agent may take to end a turn that it was told to cancel. */
const cancelGraceMs = 2_000

/**
 * One ACP session with one agent process: starting → idle ⇄ in a turn → over.
 *
 * Invariants:
 *  S1  at most one turn at a time.
 *  S2  what ends a turn other than its answer ends the session.
 *  S3  what the agent said is recorded before the turn it said it in is reported.
 *  S4  outside of a turn, and while one is being cancelled, nothing is allowed.
 */
export class AcpSession implements AgentSession {
  readonly #request: SessionRequest
  readonly #updates: SessionUpdates
  readonly #line: AgentLine
  #name = ''
  #sessionId = ''
  #inTurn = false
  #cancelling = false

  constructor(request: SessionRequest, running: Running) {
    this.#request = request
    this.#updates = new SessionUpdates((entry) => request.record?.(entry))
    this.#line = new AgentLine(request.agent.name, running, request.limits.outputBytes, {
      update: (params) => this.#updates.take(params, this.#sessionId),
      heard: (text) => this.#updates.note({ kind: 'stderr', text }),
      permission: (asked) => this.#permit(asked),
    })
  }

  get id(): string {
    return `${this.#name}/${this.#sessionId}`
  }

  /** The caller closes when this throws. */
  async open(): Promise<void> {
    const { agent, signal } = this.#request
    const abandon = (): void => void this.#line.fail(faults.startStopped(agent.name))
    if (signal?.aborted === true) abandon()
    signal?.addEventListener('abort', abandon, { once: true })
    try {
      const { name, sessionId } = await handshake(this.#line, this.#request)
      this.#name = name
      this.#sessionId = sessionId
      this.#line.doing = 'between two turns'
    } finally {
      signal?.removeEventListener('abort', abandon)
    }
  }

  async prompt(
    text: string,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Turn> {
    if (this.#inTurn) throw new Error('a turn is under way') // S1
    if (this.#line.fault !== undefined) throw this.#line.fault
    if (signal?.aborted === true) throw faults.stopped(this.#request.agent.name)

    this.#inTurn = true
    this.#line.doing = 'in the middle of a turn'
    this.#line.beginTurn()
    try {
      const answer = this.#line.ask(methods.agent.session.prompt, {
        sessionId: this.#sessionId,
        prompt: [{ type: 'text', text }],
      })
      const ended = readTurnEnd(await this.#answerOf(answer, timeoutMs, signal))
      if (ended === undefined)
        throw this.#line.fail(faults.notAcp(this.#line.plight, 'its answer to session/prompt is none'))
      const said = this.#updates.endTurn() // S3
      this.#updates.note({ kind: 'turn-ended', stop: ended.stop })
      return { ...ended, said }
    } catch (error) {
      if (error instanceof Fault && error.code !== 'agent-refused') await this.#giveUp(error) // S2
      throw error
    } finally {
      this.#updates.endTurn()
      this.#inTurn = false
      this.#line.doing = 'between two turns'
    }
  }

  async close(): Promise<void> {
    if (this.#inTurn && this.#line.fault === undefined) await this.#tellToCancel()
    this.#line.fail(faults.stopped(this.#request.agent.name))
    await this.#line.stop()
  }

  /** The agent's answer to a prompt, unless the time is up or somebody aborts before; then it is told to cancel. */
  async #answerOf(answer: Promise<unknown>, timeoutMs: number, signal: AbortSignal | undefined): Promise<unknown> {
    const aborted = Promise.withResolvers<never>()
    const abort = (): void => aborted.reject(faults.stopped(this.#request.agent.name))
    aborted.promise.catch(() => undefined)
    answer.catch(() => undefined)
    signal?.addEventListener('abort', abort, { once: true })
    const late = (): Fault => faults.slowTurn(this.#line.plight, timeoutMs)
    try {
      return await Promise.race([this.#line.within(answer, timeoutMs, late), aborted.promise])
    } catch (error) {
      if (this.#line.fault === undefined && error instanceof Fault && error.code !== 'agent-refused') {
        await this.#tellToCancel()
        const ended = answer.catch(() => undefined)
        await Promise.race([ended, this.#line.over, pause(cancelGraceMs, undefined, { ref: false })])
      }
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  #tellToCancel(): Promise<void> {
    this.#cancelling = true // S4
    return this.#line.tell(methods.agent.session.cancel, { sessionId: this.#sessionId })
  }

  async #giveUp(fault: Fault): Promise<void> {
    this.#line.fail(fault)
    await this.#line.stop()
  }

  async #permit(asked: RequestPermissionRequest): Promise<RequestPermissionResponse> {
    const { readOnly, decide } = this.#request
    const call = toolSchema.safeParse(asked.toolCall)
    if (!call.success || asked.sessionId !== this.#sessionId || !this.#mayAsk()) return cancelled
    const { title, kind, paths } = this.#updates.merge(call.data)
    const changes = kind === 'edit' || kind === 'delete' || kind === 'move'
    const denied = decide === undefined || (readOnly && changes)
    const decision = denied ? 'deny' : await decide({ title, kind, paths }).catch(() => 'deny' as const)
    if (!this.#mayAsk()) return cancelled
    const answer = answerPermission(asked.options, decision)
    this.#updates.note({ kind: 'permission', title, decision: answer.decision })
    return answer.response
  }

  /** S4 */
  #mayAsk(): boolean {
    return this.#inTurn && !this.#cancelling && this.#line.fault === undefined
  }
}

const cancelled: RequestPermissionResponse = { outcome: { outcome: 'cancelled' } }
