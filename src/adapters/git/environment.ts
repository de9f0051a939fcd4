/**
 * The whole environment of a git process; nothing else is inherited.
 *
 * `closed`: our own object store and workspaces. No configuration of the machine or the user counts.
 * `hub`:    a repository on this machine. The same, but its hooks find the user's PATH and HOME.
 * `remote`: a hub over ssh or https. The user's own git and ssh configuration counts: credentials, proxies and
 *           certificates live there. Nothing may ask on a terminal.
 */
export type Reach = 'closed' | 'hub' | 'remote'
export type Environment = Readonly<Record<string, string>>

const always: Environment = { LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' }
const inward: Environment = {
  /** refs/replace would let a repository show other objects than its ids say. */
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_OPTIONAL_LOCKS: '1',
}
const unconfigured: Environment = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_ATTR_NOSYSTEM: '1' }

const ofTheUser = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TZ', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR']
const ofTheNetwork = [
  'SSH_AUTH_SOCK',
  'SSH_ASKPASS',
  'SSH_ASKPASS_REQUIRE',
  'GIT_ASKPASS',
  'GIT_SSH',
  'GIT_SSH_COMMAND',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
  'DBUS_SESSION_BUS_ADDRESS',
  'KRB5CCNAME',
]

export function environmentFor(reach: Reach, base: NodeJS.ProcessEnv): Environment {
  switch (reach) {
    case 'closed':
      return { ...always, ...inward, ...unconfigured, HOME: '/nonexistent', ...pick(base, ['PATH', 'TMPDIR']) }
    case 'hub':
      return { ...always, ...unconfigured, ...pick(base, ofTheUser) }
    case 'remote':
      return { ...always, ...pick(base, [...ofTheUser, ...ofTheNetwork]) }
  }
}

/**
 * Inside a `pre-receive` hook git keeps the incoming objects in quarantine and says where in the environment. That
 * is honoured for the repository it belongs to and for no other one.
 * @param resolvePath gives a path with no symlink in it
 */
export async function quarantineOf(
  base: NodeJS.ProcessEnv,
  objectFolder: string,
  resolvePath: (path: string) => Promise<string>,
): Promise<Environment> {
  const quarantine = base['GIT_QUARANTINE_PATH']
  if (quarantine === undefined) return {}
  const real = await resolvePath(quarantine).catch(() => '')
  if (!real.startsWith(`${objectFolder}/`)) return {}
  return pick(base, ['GIT_QUARANTINE_PATH', 'GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES'])
}

/** Given on every command line: what no repository's own configuration may start or switch off. */
export const guarded: readonly string[] = [
  '-c',
  'safe.directory=*',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.filesRefLockTimeout=1000',
  '-c',
  'core.packedRefsTimeout=1000',
  '-c',
  'protocol.ext.allow=never',
  '-c',
  'submodule.recurse=false',
  '-c',
  'gc.auto=0',
  '-c',
  'maintenance.auto=false',
]

/** And what must be the same on every machine. A person's own working tree goes by that person's configuration. */
export const settled: readonly string[] = [
  ...guarded,
  '-c',
  'core.untrackedCache=false',
  '-c',
  'core.attributesFile=/dev/null',
  '-c',
  'core.excludesFile=/dev/null',
  '-c',
  'core.autocrlf=false',
  '-c',
  'core.safecrlf=false',
  '-c',
  'core.quotePath=false',
  '-c',
  'core.commitGraph=false',
  '-c',
  'core.protectNTFS=true',
  '-c',
  'core.protectHFS=true',
]

/** The value of GIT_ALTERNATE_OBJECT_DIRECTORIES for one folder, whatever is in its name. */
export const alternate = (folder: string): string => `"${folder.replace(/["\\]/g, '\\$&')}"`

const pick = (base: NodeJS.ProcessEnv, names: readonly string[]): Environment =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = base[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
