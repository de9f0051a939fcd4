import type { Actor } from '../domain/actor.ts'
import type { Digest } from '../domain/ids.ts'
import { canonicalJson, digestOf, digestOfJson, type Json } from '../domain/json.ts'
import type { Audit } from '../ports/store.ts'

/** What an event's hash covers beside the hash before it. */
export interface ChainedEvent {
  readonly stream: string
  readonly version: number
  readonly commandId: string
  readonly actor: Actor
  readonly at: string
  readonly event: Json
}

/** The hash before the first event: it covers the stream's name, so that no stream can stand in for another. */
export const rootHash = (stream: string): Digest => digestOf(`gaffer-stream:${stream}`)

export const hashEvent = (previous: Digest, { stream, version, commandId, actor, at, event }: ChainedEvent): Digest =>
  digestOfJson({ previous, stream, version, commandId, actor, at, event })

/** One stored row as text, exactly as the database has it. */
export interface ChainLink {
  readonly version: number
  readonly commandId: string
  readonly actor: string
  readonly at: string
  readonly body: string
  readonly hash: string
}

/** Checks a whole stream, oldest first, against its recorded end. */
export function auditChain(
  stream: string,
  links: readonly ChainLink[],
  end: { readonly version: number; readonly head: string } | undefined,
): Audit {
  let previous = rootHash(stream)
  for (const [index, link] of links.entries()) {
    const version = index + 1
    if (link.version !== version) return tampered(version, `version ${version} is missing`)
    const actor = parseCanonical(link.actor)
    const event = parseCanonical(link.body)
    if (actor === undefined || event === undefined) return tampered(version, 'it is not spelled as it was written')
    const { commandId, at } = link
    // Any JSON can stand where an actor was: only the digest counts here.
    const hash = digestOfJson({ previous, stream, version, commandId, actor, at, event })
    if (hash !== link.hash) return tampered(version, 'its hash does not match its content and the event before it')
    previous = hash
  }
  const version = links.length
  if ((end?.version ?? 0) > version) return tampered(version + 1, `versions after ${version} are missing`)
  if (version > 0 && (end?.version !== version || end.head !== previous))
    return tampered(version, 'the stream does not end where it was recorded to end')
  return { kind: 'intact', version }
}

const tampered = (version: number, why: string): Audit => ({ kind: 'tampered', version, why })

function parseCanonical(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json
    return canonicalJson(value) === text ? value : undefined
  } catch {
    return undefined
  }
}
