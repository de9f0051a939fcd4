import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/**
 * The account the server runs under. Postgres refuses to run as root; then it runs as an unprivileged user that keeps
 * only the right to pass through folders that are root's own (a clone or a data folder below /root).
 */
export type ServerAccount =
  | { readonly kind: 'ourselves' }
  | { readonly kind: 'other'; readonly uid: number; readonly gid: number; readonly passes: boolean }

interface Command {
  readonly argv: readonly [string, ...string[]]
  readonly spawn: { readonly uid?: number; readonly gid?: number }
}

/** `owner` is the uid and gid of an existing cluster; without one, an account is chosen for a new cluster. */
export async function chooseAccount(owner: { uid: number; gid: number } | null): Promise<ServerAccount> {
  if (process.getuid?.() !== 0) return { kind: 'ourselves' }
  const { uid, gid } = owner ?? (await unprivilegedUser())
  const passes = await promisify(execFile)('setpriv', [...lower(uid, gid), 'true']).then(
    () => true,
    () => false, // no setpriv here, or a container without the capability
  )
  return { kind: 'other', uid, gid, passes }
}

export function commandAs(account: ServerAccount, argv: readonly [string, ...string[]]): Command {
  if (account.kind === 'ourselves') return { argv, spawn: {} }
  const { uid, gid, passes } = account
  if (!passes) return { argv, spawn: { uid, gid } }
  return { argv: ['setpriv', ...lower(uid, gid), ...argv], spawn: {} }
}

const lower = (uid: number, gid: number): string[] => [
  `--reuid=${uid}`,
  `--regid=${gid}`,
  '--clear-groups',
  '--inh-caps=-all,+dac_override',
  '--ambient-caps=-all,+dac_override',
  '--bounding-set=-all,+dac_override',
  '--no-new-privs',
]

/** `postgres` where it exists, else `nobody`: initdb wants a name in the user database. */
async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  const passwd = await readFile('/etc/passwd', 'utf8')
  const users = new Map(passwd.split('\n').map((line) => [line.split(':')[0], line.split(':')]))
  const found = users.get('postgres') ?? users.get('nobody')
  return { uid: Number(found?.[2] ?? 65_534), gid: Number(found?.[3] ?? 65_534) }
}
