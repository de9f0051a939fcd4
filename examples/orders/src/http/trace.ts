import { randomBytes } from 'node:crypto'

/** 32 hexadecimal digits, as in W3C Trace Context: what a caller quotes and what the log is searched for. */
export type TraceId = string & { readonly [brand]: 'TraceId' }
declare const brand: unique symbol

const traceparent = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** Takes over the caller's trace when its `traceparent` header is well-formed; otherwise begins a new one. */
export function traceOf(header: string | readonly string[] | undefined): TraceId {
  const given = typeof header === 'string' ? traceparent.exec(header)?.[1] : undefined
  return (given ?? randomBytes(16).toString('hex')) as TraceId
}

export const traceUrn = (trace: TraceId): string => `urn:trace:${trace}`
