import { lstat, readlink, realpath } from 'node:fs/promises'
import { isAbsolute, join, normalize, relative } from 'node:path'
import { Fault } from '../../domain/fault.ts'
import type { Confinement } from '../../ports/sandbox.ts'

/** What of the machine everybody may see: programs and libraries, no configuration with secrets in it. */
const systemFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']

/**
 * Never a whole folder that may hold private keys: a sandbox of root's maps root's files to its own user, so that
 * `/etc/ssl/private` would be readable in there.
 */
const systemFiles = [
  '/etc/alternatives',
  '/etc/ca-certificates',
  '/etc/hosts',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/localtime',
  '/etc/nsswitch.conf',
  '/etc/pki/ca-trust/extracted',
  '/etc/pki/tls/certs',
  '/etc/protocols',
  '/etc/services',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
  '/etc/timezone',
]

/** Arguments for the part of the machine that is the same in every sandbox; looked up once. */
export async function systemMounts(): Promise<readonly string[]> {
  const folders = await Promise.all(
    systemFolders.map(async (folder) => {
      const found = await lstat(folder).catch(() => undefined)
      if (found === undefined) return []
      return found.isSymbolicLink() ? ['--symlink', await readlink(folder), folder] : ['--ro-bind', folder, folder]
    }),
  )
  const own = ['passwd', 'group'].flatMap((name) => [
    '--ro-bind',
    join(import.meta.dirname, 'etc', name),
    `/etc/${name}`,
  ])
  return [...folders.flat(), ...systemFiles.flatMap((file) => ['--ro-bind-try', file, file]), ...own]
}

/**
 * Arguments that show what a confinement names, outer folders before inner ones. A path that is both writable and
 * readable is writable; a readable folder inside a writable one is read-only.
 * @throws Fault sandbox-unavailable when a path is not there, or a symlink inside a writable folder leads out of it
 */
export async function confinementMounts({ writable, readable, network }: Confinement): Promise<readonly string[]> {
  const written = new Set(writable.map(normalize))
  const shown = [...new Set([...readable.map(normalize), ...written])].toSorted((a, b) => a.length - b.length)
  await Promise.all(shown.map((path) => check(path, written)))
  const resolver = network === 'host' ? ['--ro-bind-try', '/etc/resolv.conf', '/etc/resolv.conf'] : []
  return [...resolver, ...shown.flatMap((path) => [written.has(path) ? '--bind' : '--ro-bind', path, path])]
}

/** Whether a path is, or is below, a folder. */
export const isWithin = (path: string, folder: string): boolean => {
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith('../') && !isAbsolute(way))
}

/** Whether a path of the machine is there inside a sandbox with these readable and writable paths. */
export const isVisible = (path: string, { writable, readable }: Pick<Confinement, 'writable' | 'readable'>): boolean =>
  [...systemFolders, ...readable, ...writable].some((folder) => isWithin(path, normalize(folder)))

async function check(path: string, written: ReadonlySet<string>): Promise<void> {
  if (!isAbsolute(path) || path === '/') throw unusable(path, 'cannot be shown in a sandbox', 'name a folder, absolute')
  const real = await realpath(path).catch(() => undefined)
  if (real === undefined) throw unusable(path, 'is not there', 'make it, or take it out of what the sandbox shows')
  // Who may write a folder may put a symlink into it: binding that would show what it points at.
  for (const folder of written) {
    if (folder === path || !isWithin(path, folder)) continue
    if (!isWithin(real, await realpath(folder).catch(() => folder)))
      throw unusable(path, `is a way out of ${folder}`, 'remove the symlink')
  }
}

const unusable = (path: string, what: string, hint: string): Fault =>
  new Fault('sandbox-unavailable', `${path} ${what}`, { hint })
