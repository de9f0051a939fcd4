import type { EventOnTheWire } from '../contract/events.ts'
import { sayActor } from '../domain/actor.ts'
import type { Json } from '../domain/json.ts'
import type { Gaffer } from '../workflows/gaffer.ts'
import { sayStored } from './say-event.ts'

type StoredEvent = Awaited<ReturnType<Gaffer['log']>>[number]

/** A stored event as it goes over the wire: what is stored, and what it says. Pure. */
export const presentEvent = (stored: StoredEvent): EventOnTheWire => ({
  position: stored.position,
  stream: stored.stream,
  version: stored.version,
  at: stored.at,
  actor: sayActor(stored.actor),
  hash: stored.hash,
  event: writable(stored.event),
  lines: sayStored(stored.event),
})

type WireJson = EventOnTheWire['event']
/** The same value; only its type says that it may be written to. */
export const writable = (json: Json): WireJson => json as WireJson
