import { setTimeout as pause } from 'node:timers/promises'
import {
  client,
  methods,
  RequestError,
  type ClientConnection,
  type RequestPermissionRequest,
  type RequestPermissionResponse,
} from '@agentclientprotocol/sdk'
import type { Fault } from '../../domain/fault.ts'
import type { Running } from '../../process/start.ts'
import * as faults from './faults.ts'
import { openWire, type Wire } from './wire.ts'

/** How long last words may be on their way after the process has exited. */
const lastWordsMs = 500
/** Lines that are no ACP before we stop waiting for one that is. */
const noiseLimit = 50
const heardLimit = 8_000

export interface LineEvents {
  readonly update: (params: unknown) => void
  /** Something on stderr, or on stdout that is no ACP. */
  readonly heard: (text: string) => void
  readonly permission: (asked: RequestPermissionRequest) => Promise<RequestPermissionResponse>
}

/**
 * The line to one agent process: open → over, for the first reason that comes.
 *
 * Invariants:
 *  L1  the first fault stands: it ends the process, and every later request fails with it.
 *  L2  nothing is passed on after the fault.
 */
export class AgentLine {
  readonly #agent: string
  readonly #running: Running
  readonly #outputBytes: number
  readonly #events: LineEvents
  readonly #wire: Wire
  readonly #connection: ClientConnection
  readonly #over = Promise.withResolvers<Fault>()
  readonly #noise: string[] = []
  #heard = ''
  #printedBytes = 0
  #fault: Fault | undefined
  #stopped: Promise<void> | undefined
  /** For messages: when something went wrong. */
  doing = 'while it was starting'

  constructor(agent: string, running: Running, outputBytes: number, events: LineEvents) {
    this.#agent = agent
    this.#running = running
    this.#outputBytes = outputBytes
    this.#events = events
    running.stdout.on('data', (chunk: Buffer) => this.#count(chunk.length))
    this.#wire = openWire(running, {
      notification: (method, params) => {
        if (method === methods.client.session.update && this.#fault === undefined) events.update(params) // L2
      },
      noise: (line) => this.#hearNoise(line),
    })
    this.#listenToStderr()
    this.#connection = client({ name: 'gaffer' })
      .onRequest(methods.client.session.requestPermission, ({ params }) => events.permission(params))
      .connect(this.#wire.stream)
    void this.#watch()
  }

  get fault(): Fault | undefined {
    return this.#fault
  }

  /** Resolves with the fault once there is one. */
  get over(): Promise<Fault> {
    return this.#over.promise
  }

  get plight(): faults.Plight {
    return { agent: this.#agent, heard: this.#heard }
  }

  /** Output is limited from here on anew. */
  beginTurn(): void {
    this.#printedBytes = 0
  }

  /** @throws Fault agent-refused for an error as the answer, and whatever ended the line meanwhile */
  ask(method: string, params: unknown): Promise<unknown> {
    if (this.#fault !== undefined) return Promise.reject(this.#fault)
    return this.#connection.agent.request<unknown>(method, params).catch(async (error: unknown) => {
      if (error instanceof RequestError && this.#fault === undefined) throw faults.refused(this.plight, method, error)
      throw await this.#over.promise // a connection that closes is a symptom of what is about to be known
    })
  }

  /** Tells the agent something; at most 200 ms, for one that does not read must not keep us waiting. */
  async tell(method: string, params: unknown): Promise<void> {
    const told = this.#connection.agent.notify(method, params).catch(() => undefined)
    await Promise.race([told, pause(200, undefined, { ref: false })])
  }

  /** An answer, unless the line ends or the time is up before. */
  async within<Answer>(answer: Promise<Answer>, limitMs: number, late: () => Fault): Promise<Answer> {
    const timer = new AbortController()
    const over = this.#over.promise.then((fault) => Promise.reject(fault))
    const lateness = pause(Math.max(limitMs, 0), undefined, { signal: timer.signal }).then(() => Promise.reject(late()))
    for (const promise of [over, lateness]) promise.catch(() => undefined)
    try {
      return await Promise.race([answer, over, lateness])
    } finally {
      timer.abort()
    }
  }

  /** Ends the line for a reason; returns the one that stands (L1). */
  fail(fault: Fault): Fault {
    this.#fault ??= fault
    this.#over.resolve(this.#fault)
    return this.#fault
  }

  /** Why it is not ACP that an agent talks, when it talked and nothing of it was. */
  get foreign(): Fault | undefined {
    if (this.#noise.length === 0 || this.#wire.spoke()) return undefined
    return faults.notAcp(this.plight, `it printed \`${this.#noise.slice(0, 3).join(' ')}\``)
  }

  /** Ends the process and all it started. The line has to have failed before. Safe to repeat; never throws. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#running.stop().then(() => {
      this.#connection.close()
      this.#running.stdout.destroy()
      this.#running.stderr.destroy()
      this.#running.stdin.destroy()
    }))
  }

  /** Waits for the process to end, by itself or by us. */
  async #watch(): Promise<void> {
    const first = await Promise.race([this.#running.exited, this.#wire.ended.then(() => undefined)])
    // A last answer may still be in the pipe; and a process that closed its output is about to exit.
    const both = Promise.all([this.#running.exited, this.#wire.ended])
    const exit = await Promise.race([both.then(([ended]) => ended), pause(lastWordsMs, first, { ref: false })])
    await pause(0)
    const ended =
      exit === undefined ? faults.hungUp(this.plight, this.doing) : faults.vanished(this.plight, this.doing, exit)
    this.fail(this.foreign ?? ended)
    await this.stop()
  }

  #count(bytes: number): void {
    this.#printedBytes += bytes
    if (this.#printedBytes <= this.#outputBytes || this.#fault !== undefined) return
    this.fail(faults.flooded(this.plight, this.#outputBytes))
    this.#running.stdout.destroy() // what else it prints is not worth the memory
    this.#running.stderr.destroy()
    void this.stop()
  }

  #hearNoise(line: string): void {
    if (this.#fault !== undefined) return
    this.#events.heard(`${line.slice(0, 2_000)}\n`)
    if (this.#noise.length < noiseLimit) this.#noise.push(line.slice(0, 200))
    if (this.#noise.length < noiseLimit || this.foreign === undefined) return
    this.fail(this.foreign)
    void this.stop()
  }

  #listenToStderr(): void {
    const decoder = new TextDecoder()
    this.#running.stderr.on('data', (chunk: Buffer) => {
      this.#count(chunk.length)
      const text = decoder.decode(chunk, { stream: true })
      this.#heard = (this.#heard + text).slice(-heardLimit)
      if (this.#fault === undefined && text !== '') this.#events.heard(text) // L2
    })
    this.#running.stderr.on('error', () => undefined)
  }
}
