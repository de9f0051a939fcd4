import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { payloadType } from '../domain/evidence.ts'
import { canonicalJson } from '../domain/json.ts'

/**
 * DSSE (https://github.com/secure-systems-lab/dsse) with ed25519. An envelope has one spelling: canonical JSON,
 * canonical base64, and nobody's signature beside those that verify. So one changed byte anywhere is found, in the
 * parts that no signature covers as well.
 */
export interface EnvelopeSigner {
  /** SHA-256 of the public key's SPKI DER, in hexadecimal. */
  readonly keyId: string
  sign(bytes: Uint8Array): Uint8Array
}
/** Public keys by key id. */
export type EvidenceKeys = ReadonlyMap<string, KeyObject>

export type Opened =
  | { readonly kind: 'verified'; readonly payload: string; readonly keyIds: readonly string[] }
  | { readonly kind: 'rejected'; readonly why: string }

const envelopeSchema = z.strictObject({
  payload: z.string(),
  payloadType: z.literal(payloadType),
  signatures: z
    .array(z.strictObject({ keyid: z.string(), sig: z.string() }))
    .min(1)
    .max(8),
})
const limitBytes = 8 * 1024 * 1024

/** Pre-authentication encoding, as DSSE v1 defines it. */
export const preAuthEncoding = (type: string, payload: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload])

/** The same bytes for the same payload and key: ed25519 draws no random numbers. */
export function sealEnvelope(payload: string, signer: EnvelopeSigner): string {
  const bytes = Buffer.from(payload)
  const sig = Buffer.from(signer.sign(preAuthEncoding(payloadType, bytes))).toString('base64')
  return canonicalJson({ payload: bytes.toString('base64'), payloadType, signatures: [{ keyid: signer.keyId, sig }] })
}

/** Every signature has to verify, with a key of `keys`: an unknown one beside a good one is somebody's edit. */
export function openEnvelope(bytes: Uint8Array, keys: EvidenceKeys): Opened {
  const envelope = readEnvelope(bytes)
  if (envelope === undefined) return rejected('is not a DSSE envelope in its one spelling')
  const payload = strictBase64(envelope.payload)
  if (payload === undefined) return rejected('has a payload that is not base64')
  const keyIds = envelope.signatures.map(({ keyid }) => keyid)
  if (new Set(keyIds).size !== keyIds.length) return rejected('names a key twice')
  const encoded = preAuthEncoding(envelope.payloadType, payload)
  for (const { keyid, sig } of envelope.signatures) {
    const key = keys.get(keyid)
    const signature = strictBase64(sig)
    if (key === undefined) return rejected(`is signed with a key that is not trusted (${keyid.slice(0, 16)})`)
    if (signature === undefined || !verify(null, encoded, key, signature))
      return rejected('has a signature that does not match its content')
  }
  const text = strictUtf8(payload)
  if (text === undefined) return rejected('has a payload that is not UTF-8')
  return { kind: 'verified', payload: text, keyIds }
}

function readEnvelope(bytes: Uint8Array): z.infer<typeof envelopeSchema> | undefined {
  if (bytes.length > limitBytes) return undefined
  return parseCanonical(strictUtf8(bytes), envelopeSchema)
}

/** A value of the schema, from a text that is exactly its canonical JSON; undefined for anything else. Never throws. */
export const parseCanonical = <Schema extends z.ZodType>(text: string | undefined, schema: Schema) =>
  parseSpelled(text, schema, canonicalJson)

/** A value of the schema, from a text that is exactly how `spell` writes it; undefined for anything else. Never throws. */
export function parseSpelled<Schema extends z.ZodType>(
  text: string | undefined,
  schema: Schema,
  spell: (value: z.infer<Schema>) => string,
): z.infer<Schema> | undefined {
  if (text === undefined) return undefined
  try {
    const parsed = schema.safeParse(JSON.parse(text))
    return parsed.success && spell(parsed.data) === text ? parsed.data : undefined
  } catch {
    return undefined // no JSON, or nested too deep to be ours
  }
}

export type ReadKeys =
  | { readonly kind: 'keys'; readonly keys: EvidenceKeys }
  | { readonly kind: 'malformed'; readonly why: string }

/** `.gaffer/evidence_keys.pem`: PEM blocks (SPKI, ed25519), with anything between them as comment. */
export function readEvidenceKeys(pem: string): ReadKeys {
  const keys = new Map<string, KeyObject>()
  for (const [block] of pem.matchAll(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g)) {
    const key = publicKey(block)
    if (key?.asymmetricKeyType !== 'ed25519')
      return { kind: 'malformed', why: 'holds a block that is not an ed25519 key' }
    keys.set(keyIdOf(key), key)
  }
  return keys.size === 0 ? { kind: 'malformed', why: 'holds no public key' } : { kind: 'keys', keys }
}

export const keyIdOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')

function publicKey(block: string): KeyObject | undefined {
  try {
    return createPublicKey(block)
  } catch {
    return undefined
  }
}

/** Decodes base64 that is spelled as an encoder spells it; undefined for anything else. */
export function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

export function strictUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const rejected = (why: string): Opened => ({ kind: 'rejected', why })
