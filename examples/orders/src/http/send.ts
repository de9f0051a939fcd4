import type { ServerResponse } from 'node:http'
import type { Answer } from './answer.ts'
import { traceUrn, type TraceId } from './trace.ts'

/** Writes an answer. Returns the status that was sent, for the log. */
export function send(response: ServerResponse, answer: Answer, trace: TraceId): number {
  if (answer.kind === 'json') return write(response, answer.status, 'application/json', answer.body, answer.headers)

  const { status, name, title, detail } = answer.problem
  const body = { type: `urn:problem:${name}`, title, status, detail, instance: traceUrn(trace) }
  return write(response, status, 'application/problem+json', body, answer.headers)
}

function write(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): number {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    ...headers,
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
  return status
}
