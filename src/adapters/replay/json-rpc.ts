import type { Readable, Writable } from 'node:stream'
import { z } from 'zod'

const messageSchema = z.looseObject({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.looseObject({ message: z.string() }).optional(),
})

/**
 * The agent's end of ACP's wire: JSON-RPC 2.0, one message a line. Written out here because loading the SDK takes
 * longer than everything else this agent does; the SDK's client on the other end checks that we speak it right.
 */
export class JsonRpcPeer {
  readonly #output: Writable
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  #nextId = 0

  constructor(output: Writable) {
    this.#output = output
  }

  /** Handles what comes in until the input ends. `handle` answers requests; what it throws becomes an error answer. */
  async serve(input: Readable, handle: (method: string, params: unknown) => Promise<unknown>): Promise<void> {
    for await (const line of linesOf(input)) {
      const message = parse(line)
      if (message === undefined) await this.#answer(null, { error: { code: -32700, message: 'Parse error' } })
      else if (message.method !== undefined) void this.#handle(message.id, message.method, message.params, handle)
      else this.#settle(message)
    }
  }

  request(method: string, params: unknown): Promise<unknown> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#write({ jsonrpc: '2.0', id, method, params }).catch(reject)
    })
  }

  notify(method: string, params: unknown): Promise<void> {
    return this.#write({ jsonrpc: '2.0', method, params })
  }

  async #handle(
    id: string | number | undefined,
    method: string,
    params: unknown,
    handle: (method: string, params: unknown) => Promise<unknown>,
  ): Promise<void> {
    const answer = await handle(method, params).then(
      (result) => ({ result: result ?? null }),
      (error: unknown) => ({ error: errorOf(error) }),
    )
    if (id !== undefined) await this.#answer(id, answer)
  }

  #settle({ id, result, error }: z.infer<typeof messageSchema>): void {
    const waiting = typeof id === 'number' ? this.#waiting.get(id) : undefined
    if (waiting === undefined || typeof id !== 'number') return
    this.#waiting.delete(id)
    if (error === undefined) waiting.resolve(result)
    else waiting.reject(new Error(error.message))
  }

  #answer(id: string | number | null, answer: object): Promise<void> {
    return this.#write({ jsonrpc: '2.0', id, ...answer })
  }

  #write(message: object): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#output.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()))
    })
  }
}

/** The method is not one of this agent's. */
export class UnknownMethod extends Error {}

function errorOf(error: unknown): { code: number; message: string } {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UnknownMethod) return { code: -32601, message }
  return { code: error instanceof z.ZodError ? -32602 : -32603, message }
}

function parse(line: string): z.infer<typeof messageSchema> | undefined {
  try {
    return messageSchema.parse(JSON.parse(line))
  } catch {
    return undefined
  }
}

/** Split at line feeds alone: JSON may hold the Unicode line separators as they are, and readline splits there too. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of input) {
    const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines.map((line) => line.replace(/\r$/, ''))
  }
  if (rest !== '') yield rest
}
