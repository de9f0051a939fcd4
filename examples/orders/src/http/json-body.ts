import type { IncomingMessage } from 'node:http'
import { refuse } from './answer.ts'
import type { Body } from './route.ts'

const limitBytes = 64 * 1024

/** Reads a request's body to its end, at most 64 KiB of it, and parses it as JSON. */
export async function readJson(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk)
    sizeBytes += bytes.length
    // Read on without keeping anything: closing the socket here would lose the answer.
    if (sizeBytes <= limitBytes) chunks.push(bytes)
  }
  if (sizeBytes > limitBytes) return { kind: 'refused', answer: tooLarge }

  try {
    return { kind: 'parsed', value: JSON.parse(Buffer.concat(chunks).toString('utf8')) }
  } catch {
    return { kind: 'refused', answer: notJson }
  }
}

const tooLarge = refuse({
  status: 413,
  name: 'body-too-large',
  title: 'The body is too large',
  detail: `A body has at most ${limitBytes} bytes.`,
})

const notJson = refuse({
  status: 400,
  name: 'body-not-json',
  title: 'The body is not JSON',
  detail: 'Send a JSON object.',
})
