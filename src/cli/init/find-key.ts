import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Context } from '../context.ts'
import { gitLine } from '../git.ts'
import { refusal, usage } from '../stop.ts'

const publicKey =
  /^(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp\d+|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+={0,3}(?: .*)?$/

export interface FoundKey {
  readonly publicKey: string
  /** Where it was found, for people. */
  readonly from: string
}

/**
 * The owner's public SSH key: the one that was named, else the one git signs with, else the usual one in ~/.ssh. A
 * private key is never opened: of `id_ed25519` the file `id_ed25519.pub` is read.
 * @throws Stop
 */
export async function findKey({ cwd, env }: Context, named: string | undefined): Promise<FoundKey> {
  const home = env['HOME'] ?? homedir()
  if (named !== undefined) {
    const path = resolve(cwd, named.startsWith('~/') ? join(home, named.slice(2)) : named)
    const found = await readPublic(path)
    if (found !== undefined) return found
    throw usage(
      'nothing was written',
      `there is no public SSH key in ${path}`,
      'name the public key: `--key ~/.ssh/id_ed25519.pub`',
    )
  }
  const signing = await gitLine(cwd, ['config', 'user.signingkey'])
  const literal = signing?.replace(/^key::/, '')
  if (literal !== undefined && publicKey.test(literal)) return { publicKey: literal, from: 'user.signingkey of git' }
  const usual = ['id_ed25519', 'id_ed25519_sk', 'id_ecdsa', 'id_ecdsa_sk', 'id_rsa'].map((name) =>
    join(home, '.ssh', name),
  )
  const fromGit =
    signing === undefined || signing === ''
      ? []
      : [signing.startsWith('~/') ? join(home, signing.slice(2)) : resolve(cwd, signing)]
  for (const path of [...fromGit, ...usual]) {
    const found = await readPublic(path)
    if (found !== undefined) return found
  }
  throw refusal(
    'nothing was written',
    'there is no SSH key that the owner could sign with',
    'make one (`ssh-keygen -t ed25519`), or name a public key: `--key FILE`',
  )
}

async function readPublic(path: string): Promise<FoundKey | undefined> {
  const from = path.endsWith('.pub') ? path : `${path}.pub`
  const text = await readFile(from, 'utf8').catch(() => '')
  const line = text.split('\n').find((each) => publicKey.test(each.trim()))
  return line === undefined ? undefined : { publicKey: line.trim(), from }
}
