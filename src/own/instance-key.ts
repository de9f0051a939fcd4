import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../domain/fault.ts'
import { keyIdOf, type EnvelopeSigner } from './dsse.ts'

/** The ed25519 key of one Gaffer instance. The private half stays inside: nothing here can print or serialise it. */
export interface InstanceKey extends EnvelopeSigner {
  /** SPKI, for `.gaffer/evidence_keys.pem`. */
  readonly publicPem: string
}

const fileName = 'evidence-key.pem'

/**
 * Loads the key of a data folder, and makes it there first when there is none. Safe to repeat and to race: whoever
 * is second gets the first one's key.
 * @throws Fault signing-failed (unreadable, no ed25519 key, or open to other users), disk-full
 */
export async function loadInstanceKey(dataFolder: string): Promise<InstanceKey> {
  const file = join(dataFolder, fileName)
  try {
    return await read(file)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw asFault(error, file)
  }
  try {
    await mkdir(dataFolder, { recursive: true, mode: 0o700 })
    await create(file)
    return await read(file)
  } catch (error) {
    throw asFault(error, file)
  }
}

async function read(file: string): Promise<InstanceKey> {
  const { mode } = await stat(file)
  if ((mode & 0o077) !== 0)
    throw new Fault('signing-failed', `${file} can be read by other users`, {
      hint: `run \`chmod 600 ${file}\`; replace the key if somebody else may have read it`,
    })
  return instanceKey(await readFile(file, 'utf8'), file)
}

function instanceKey(pem: string, file: string): InstanceKey {
  const secret = privateKey(pem)
  if (secret?.asymmetricKeyType !== 'ed25519')
    throw new Fault('signing-failed', `${file} does not hold an ed25519 private key`, {
      hint: 'restore it from a backup, or move it away: a new key is made, and its public half has to be added to .gaffer/evidence_keys.pem',
    })
  const shown = createPublicKey(secret)
  return {
    keyId: keyIdOf(shown),
    publicPem: shown.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (bytes) => sign(null, bytes, secret),
  }
}

function privateKey(pem: string): ReturnType<typeof createPrivateKey> | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

/** The file appears whole or not at all: written beside its place, then linked, which fails if somebody was first. */
async function create(file: string): Promise<void> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  const draft = `${file}.${randomUUID()}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(pem)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await link(draft, file)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

function asFault(error: unknown, file: string): Fault {
  if (error instanceof Fault) return error
  if (codeOf(error) === 'ENOSPC')
    return new Fault('disk-full', `${file} could not be written`, { hint: 'free some space', retryable: true })
  return new Fault('signing-failed', `the evidence key could not be read or made (${String(codeOf(error))})`, {
    hint: `let this user read and write ${file}`,
    cause: error,
  })
}
