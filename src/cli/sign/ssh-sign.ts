import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { signOffNamespace } from '../../domain/evidence.ts'
import { Fault } from '../../domain/fault.ts'

/**
 * Signs bytes with the person's own key, on this machine. A passphrase is asked for by ssh-keygen itself, on the
 * terminal; the key never passes through here.
 * @param key a private key's file, or a public one's when an agent holds the private key
 * @throws Fault signing-failed
 */
export async function sshSign(bytes: Uint8Array, key: string): Promise<string> {
  const child = spawn('ssh-keygen', ['-q', '-Y', 'sign', '-n', signOffNamespace, '-f', key], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (error) => reject(failed('ssh-keygen could not be started', 'install OpenSSH', error)))
    child.once('close', (code) => resolve(code ?? 1))
  })
  child.stdin.on('error', () => {}) // its exit code says why it stopped reading
  child.stdin.end(bytes)
  const [code, armoured, complaint] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  if (code === 0 && armoured.startsWith('-----BEGIN SSH SIGNATURE-----')) return armoured
  const why = complaint.trim().split('\n').at(-1) ?? ''
  throw failed(
    `ssh-keygen did not sign with ${key}${why === '' ? '' : `: ${why}`}`,
    'name a private SSH key with `--key FILE`, or a public one that ssh-agent holds',
  )
}

const failed = (what: string, hint: string, cause?: unknown): Fault =>
  new Fault('signing-failed', what, { hint, cause })
