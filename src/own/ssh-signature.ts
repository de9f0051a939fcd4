import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto'
import { signOffNamespace } from '../domain/evidence.ts'
import { strictBase64 } from './dsse.ts'

/**
 * The SSHSIG format (OpenSSH's PROTOCOL.sshsig), for plain ed25519 keys only. Says whether a signature matches a
 * message, not whether its key may sign: that is always ssh-keygen's word.
 */
export interface PlainSignature {
  /** Base64 of the public key's blob. */
  readonly key: string
  matches(message: string): boolean
}

const armour = /^-----BEGIN SSH SIGNATURE-----\n((?:[A-Za-z0-9+/=]+\n)+)-----END SSH SIGNATURE-----\n?$/
const ed25519SpkiPrefix = Buffer.from('302a300506032b6570032100', 'hex') // RFC 8410

/** undefined for any other kind of key, namespace, spelling or content. Never throws. */
export function readPlainSignature(armoured: string): PlainSignature | undefined {
  const blob = strictBase64((armour.exec(armoured)?.[1] ?? '').replaceAll('\n', ''))
  if (blob === undefined || blob.length < 10) return undefined
  if (blob.subarray(0, 6).toString('latin1') !== 'SSHSIG' || blob.readUInt32BE(6) !== 1) return undefined
  const [key, namespace, reserved, hash, signature] = fields(blob.subarray(10), 5) ?? []
  if (key === undefined || namespace === undefined || reserved === undefined) return undefined
  if (hash === undefined || signature === undefined) return undefined
  const [keyType, point] = fields(key, 2) ?? []
  const [signatureType, value] = fields(signature, 2) ?? []
  const algorithm = hash.toString('latin1')
  if (keyType?.toString('latin1') !== 'ssh-ed25519' || point?.length !== 32) return undefined
  if (signatureType?.toString('latin1') !== 'ssh-ed25519' || value?.length !== 64) return undefined
  if (namespace.toString('latin1') !== signOffNamespace || reserved.length > 0) return undefined
  if (algorithm !== 'sha512' && algorithm !== 'sha256') return undefined
  const publicKey = keyOf(point)
  if (publicKey === undefined) return undefined
  return {
    key: key.toString('base64'),
    matches: (message) => {
      const digest = createHash(algorithm).update(message).digest()
      const signed = [namespace, reserved, hash, digest].map(lengthPrefixed)
      return verify(null, Buffer.concat([Buffer.from('SSHSIG'), ...signed]), publicKey, value)
    },
  }
}

/** Exactly `count` length-prefixed strings and nothing after them. */
function fields(bytes: Buffer, count: number): readonly Buffer[] | undefined {
  const found: Buffer[] = []
  let at = 0
  while (found.length < count) {
    if (at + 4 > bytes.length) return undefined
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) return undefined
    found.push(bytes.subarray(at + 4, end))
    at = end
  }
  return at === bytes.length ? found : undefined
}

function keyOf(point: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.concat([ed25519SpkiPrefix, point]), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

function lengthPrefixed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
