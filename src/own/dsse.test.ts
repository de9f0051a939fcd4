import { generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { payloadType } from '../domain/evidence.ts'
import { canonicalJson } from '../domain/json.ts'
import {
  keyIdOf,
  openEnvelope,
  parseCanonical,
  preAuthEncoding,
  readEvidenceKeys,
  sealEnvelope,
  strictBase64,
  type EnvelopeSigner,
} from './dsse.ts'
import { z } from 'zod'

const newSigner = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const signer: EnvelopeSigner = { keyId: keyIdOf(publicKey), sign: (bytes) => sign(null, bytes, privateKey) }
  return { signer, publicKey, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}
const ours = newSigner()
const other = newSigner()
const keysOf = (...pems: string[]) => {
  const read = readEvidenceKeys(pems.join('\n'))
  if (read.kind === 'malformed') throw new Error(read.why)
  return read.keys
}
const bytes = (text: string) => Buffer.from(text)

describe('an envelope', () => {
  it('signs the pre-authentication encoding of the specification', () => {
    expect(preAuthEncoding('http://example.com/HelloWorld', bytes('hello world')).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    )
  })

  it('opens with the key that sealed it, and gives back what was sealed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (payload) => {
        const opened = openEnvelope(bytes(sealEnvelope(payload, ours.signer)), keysOf(other.pem, ours.pem))
        expect(opened).toEqual({ kind: 'verified', payload, keyIds: [ours.signer.keyId] })
      }),
    )
  })

  it('is the same each time', () => {
    expect(sealEnvelope('{}', ours.signer)).toBe(sealEnvelope('{}', ours.signer))
  })

  it('does not open with another key', () => {
    expect(openEnvelope(bytes(sealEnvelope('{}', other.signer)), keysOf(ours.pem))).toMatchObject({
      kind: 'rejected',
      why: expect.stringContaining('not trusted'),
    })
  })

  it('does not open when another key takes over the id of ours', () => {
    const forged = sealEnvelope('{}', { keyId: ours.signer.keyId, sign: (it) => other.signer.sign(it) })
    expect(openEnvelope(bytes(forged), keysOf(ours.pem)).kind).toBe('rejected')
  })

  it('does not open with a signature beside the good one that nobody trusts', () => {
    const envelope: unknown = JSON.parse(sealEnvelope('{}', ours.signer))
    const strange: unknown = JSON.parse(sealEnvelope('{}', other.signer))
    const both = z.looseObject({ signatures: z.array(z.unknown()) })
    const joined = {
      ...both.parse(envelope),
      signatures: [...both.parse(envelope).signatures, ...both.parse(strange).signatures],
    }
    expect(openEnvelope(bytes(canonicalJson(joined)), keysOf(ours.pem)).kind).toBe('rejected')
    expect(openEnvelope(bytes(canonicalJson(joined)), keysOf(ours.pem, other.pem)).kind).toBe('verified')
    const twice = { ...both.parse(envelope), signatures: [1, 2].flatMap(() => both.parse(envelope).signatures) }
    expect(openEnvelope(bytes(canonicalJson(twice)), keysOf(ours.pem)).kind).toBe('rejected')
  })

  it('does not open after any change of one byte', () => {
    const sealed = bytes(sealEnvelope('{"a":1}', ours.signer))
    const keys = keysOf(ours.pem)
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(sealed)
        changed[at] = (changed[at] ?? 0) ^ flip
        expect(openEnvelope(changed, keys).kind).toBe('rejected')
      }),
      { numRuns: 2_000 },
    )
  })

  it('of any bytes is rejected, never thrown at', () => {
    const keys = keysOf(ours.pem)
    const nearly = fc.record({
      payload: fc.oneof(fc.string(), fc.base64String()),
      payloadType: fc.constantFrom(payloadType, 'text/plain'),
      signatures: fc.array(fc.record({ keyid: fc.constantFrom(ours.signer.keyId, ''), sig: fc.base64String() })),
    })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map(bytes),
          nearly.map((value) => bytes(JSON.stringify(value))),
        ),
        (raw) => {
          expect(openEnvelope(raw, keys).kind).toBe('rejected')
        },
      ),
      { numRuns: 1_000 },
    )
    expect(openEnvelope(bytes('['.repeat(200_000)), keys).kind).toBe('rejected')
  })
})

describe('base64 and JSON', () => {
  it('are read in the one spelling an encoder gives', () => {
    expect(strictBase64('aGk=')?.toString()).toBe('hi')
    for (const text of ['aGk', 'aGl=', 'aG k=', 'aGk=\n', 'a-_=', '=', 'aGk=='])
      expect(strictBase64(text)).toBeUndefined()
    const schema = z.strictObject({ a: z.number() })
    expect(parseCanonical('{"a":1}', schema)).toEqual({ a: 1 })
    for (const text of ['{ "a":1}', '{"a":2,"a":1}', '{"a":1.0}', '{"a":1}\n', ''])
      expect(parseCanonical(text, schema)).toBeUndefined()
  })
})

describe('evidence keys', () => {
  it('are the ed25519 blocks of the file, with text around them', () => {
    expect([...keysOf(`# ours\n${ours.pem}`, `old one:\n${other.pem}`).keys()]).toEqual([
      ours.signer.keyId,
      other.signer.keyId,
    ])
  })

  it('of another kind, a broken block or an empty file are named', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' })
    for (const text of [ec.toString(), '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', '', 'no key'])
      expect(readEvidenceKeys(text).kind).toBe('malformed')
  })

  it('of any text are malformed, never thrown at', () => {
    const block = fc.string().map((text) => `-----BEGIN PUBLIC KEY-----\n${text}\n-----END PUBLIC KEY-----\n`)
    fc.assert(
      fc.property(fc.oneof(fc.string(), block), (text) => {
        expect(readEvidenceKeys(text).kind).toBe('malformed')
      }),
    )
  })
})
