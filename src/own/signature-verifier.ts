import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signOffNamespace } from '../domain/evidence.ts'
import type { Email } from '../domain/ids.ts'
import { digestOf } from '../domain/json.ts'
import { isTimeless, listSigners } from './allowed-signers.ts'
import { runSshKeygen } from './ssh-keygen.ts'
import { readPlainSignature } from './ssh-signature.ts'

export interface SignatureCheck {
  readonly statement: string
  readonly armoured: string
  readonly owner: Email
  /** Text of the protected `.gaffer/allowed_signers`. */
  readonly allowedSigners: string
  /** When it counts as signed, ISO 8601: dates in allowed_signers are compared with this. */
  readonly at: string
}

export type SignatureVerdict = { readonly kind: 'valid' } | { readonly kind: 'invalid'; readonly why: string }

/**
 * Checks owners' signatures with `ssh-keygen -Y verify`. It alone says which key may sign for whom. Once it has
 * accepted a person's plain ed25519 key under one text of allowed_signers that has no dates and no certificates, it
 * would accept that key at any time; further signatures of that key are then only compared with their message, in
 * this process, which makes a long history a matter of seconds.
 */
export interface SignatureVerifier extends AsyncDisposable {
  /** Repeating is safe. @throws Fault command-missing, command-timeout */
  verify(check: SignatureCheck): Promise<SignatureVerdict>
}

export function openSignatureVerifier(): SignatureVerifier {
  let scratch: Promise<string> | undefined
  const folder = (): Promise<string> => (scratch ??= mkdtemp(join(tmpdir(), 'gaffer-signers-')))
  const signersFiles = new Map<string, Promise<string>>()
  const accepted = new Set<string>()
  let count = 0

  const signersFile = (text: string): Promise<string> => {
    const name = digestOf(text)
    const known = signersFiles.get(name)
    if (known !== undefined) return known
    const file = `signers-${signersFiles.size}`
    const written = folder().then((at) => writeScratch(join(at, file), text))
    signersFiles.set(name, written)
    return written
  }

  const askSshKeygen = async (check: SignatureCheck): Promise<SignatureVerdict> => {
    const file = `signature-${(count += 1)}` // named before anything is waited for: checks run side by side
    const signature = join(await folder(), file)
    await writeScratch(signature, check.armoured)
    const argv = ['-Y', 'verify', '-f', await signersFile(check.allowedSigners), '-I', check.owner]
    argv.push('-n', signOffNamespace, '-O', `verify-time=${verifyTime(check.at)}`, '-s', signature)
    const env = { TZ: 'UTC', LC_ALL: 'C' } // ssh-keygen reads the time in the local zone
    const run = await runSshKeygen(argv, { message: check.statement, env, timeoutMs: 30_000 })
    await rm(signature, { force: true })
    return run.exitCode === 0 ? { kind: 'valid' } : { kind: 'invalid', why: explain(check, run.said) }
  }

  return {
    async verify(check) {
      if (Number.isNaN(Date.parse(check.at))) return { kind: 'invalid', why: `${check.at} is not a time` }
      const plain = readPlainSignature(check.armoured)
      if (plain === undefined) return askSshKeygen(check)
      const acceptance = digestOf(JSON.stringify([check.allowedSigners, check.owner, plain.key]))
      if (accepted.has(acceptance))
        return plain.matches(check.statement) ? { kind: 'valid' } : { kind: 'invalid', why: explain(check, '') }
      const verdict = await askSshKeygen(check)
      if (verdict.kind === 'valid' && isTimelessText(check.allowedSigners)) accepted.add(acceptance)
      return verdict
    },
    async [Symbol.asyncDispose]() {
      if (scratch !== undefined) await rm(await scratch, { recursive: true, force: true })
    },
  }
}

/** One signature. For many, keep a verifier open. */
export async function verifySignature(check: SignatureCheck): Promise<SignatureVerdict> {
  await using verifier = openSignatureVerifier()
  return await verifier.verify(check)
}

const isTimelessText = (text: string): boolean => {
  const list = listSigners(text)
  return list.kind === 'signers' && isTimeless(list.signers)
}

async function writeScratch(file: string, text: string): Promise<string> {
  await writeFile(file, text, { mode: 0o600 })
  return file
}

/** `YYYYMMDDHHMMSS`, for a process whose zone is UTC. */
const verifyTime = (at: string): string => new Date(at).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)

function explain({ owner, allowedSigners }: SignatureCheck, said: string): string {
  const list = listSigners(allowedSigners)
  const broken = list.kind === 'malformed' ? `; line ${list.line} of allowed_signers ${list.why}` : ''
  return `no valid signature of ${owner}${said === '' ? '' : ` (ssh-keygen: ${said})`}${broken}`
}
