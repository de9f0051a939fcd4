import type { Readable, Writable } from 'node:stream'
import type { AnyMessage, Stream } from '@agentclientprotocol/sdk'

/**
 * ACP's lines on a process's stdio, made safe for the SDK: only well-formed JSON-RPC reaches it, answers only to what
 * was asked. Notifications are handed over here and in order, so that everything an agent said is known before the
 * answer that ends its turn. Other output is noise: reported, never answered.
 */
export interface Wire {
  readonly stream: Stream
  /** Whether anything on it was JSON-RPC so far. */
  readonly spoke: () => boolean
  /** Resolves when the agent has closed its output. */
  readonly ended: Promise<void>
}

export interface WireEvents {
  readonly notification: (method: string, params: unknown) => void
  readonly noise: (line: string) => void
}

export function openWire(
  { stdout, stdin }: { readonly stdout: Readable; readonly stdin: Writable },
  events: WireEvents,
): Wire {
  const asked = new Set<unknown>()
  let spoke = false
  let pending: Buffer[] = []
  let incoming: ReadableStreamDefaultController<AnyMessage> | undefined

  const readable = new ReadableStream<AnyMessage>({
    start(controller) {
      incoming = controller
    },
    cancel() {
      incoming = undefined
    },
  })
  const writable = new WritableStream<AnyMessage>({
    write(message) {
      if ('method' in message && 'id' in message) asked.add(message.id)
      return new Promise((resolve, reject) => {
        stdin.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()))
      })
    },
  })

  function take(line: Buffer): void {
    const text = line.toString('utf8').trim()
    if (text === '') return
    const message = readMessage(text)
    if (message === undefined) return events.noise(text)
    if (message.kind === 'answer' && !asked.delete(message.id)) return events.noise(text)
    spoke = true
    if (message.kind === 'notification') events.notification(message.method, message.params)
    else incoming?.enqueue(message.raw)
  }

  const ended = new Promise<void>((resolve) => {
    stdout.on('data', (chunk: Buffer) => {
      let from = 0
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        take(Buffer.concat([...pending, chunk.subarray(from, end)]))
        pending = []
        from = end + 1
      }
      if (from < chunk.length) pending.push(chunk.subarray(from))
    })
    stdout.once('end', () => take(Buffer.concat(pending)))
    stdout.once('close', () => {
      incoming?.close()
      incoming = undefined
      resolve()
    })
    stdout.on('error', () => undefined)
  })

  return { stream: { readable, writable }, spoke: () => spoke, ended }
}

type Message =
  | { readonly kind: 'notification'; readonly method: string; readonly params: unknown }
  | { readonly kind: 'request'; readonly raw: AnyMessage }
  | { readonly kind: 'answer'; readonly id: unknown; readonly raw: AnyMessage }

/** A line as a JSON-RPC 2.0 message; undefined when it is none. */
export function readMessage(text: string): Message | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value) || value['jsonrpc'] !== '2.0') return undefined
  const { id, method, params, error } = value
  const raw = value as unknown as AnyMessage // shaped by the checks of this function
  if (method !== undefined) {
    if (typeof method !== 'string') return undefined
    if (id === undefined) return { kind: 'notification', method, params }
    return typeof id === 'string' || Number.isFinite(id) ? { kind: 'request', raw } : undefined
  }
  const isError = isObject(error) && Number.isInteger(error['code']) && typeof error['message'] === 'string'
  if (Object.hasOwn(value, 'result') === isError || (error !== undefined && !isError)) return undefined
  return { kind: 'answer', id, raw }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
