import { isUtf8 } from 'node:buffer'
import type { CommitSha, TreeSha } from '../../domain/ids.ts'
import { pathBytes } from './path-name.ts'
import { gitFault, tryGit, type Place } from './run-git.ts'

/**
 * Unified diff as text. Cut after the last whole line that fits, with a line that says so; what a repository's
 * configuration says about diffs does not count.
 */
export async function writePatch(
  place: Place,
  from: CommitSha | TreeSha,
  to: CommitSha | TreeSha,
  { maxBytes, paths }: { readonly maxBytes: number; readonly paths?: readonly string[] },
): Promise<string> {
  if (paths?.length === 0) return ''
  const shape = ['-p', '--no-color', '--no-ext-diff', '--no-textconv', '--no-renames', '--full-index', '--unified=3']
  const names = ['--src-prefix=a/', '--dst-prefix=b/', '--submodule=short']
  const wanted = (paths ?? []).map(pathspec)
  const args = ['diff-tree', ...shape, ...names, from, to, '--', ...wanted]
  const ran = await tryGit(place, args, { outputBytes: maxBytes + 1, env: { GIT_LITERAL_PATHSPECS: '0' } })
  if (ran.exitCode !== 0) throw await gitFault(args, ran, place.cwd)
  return cutPatch(ran.stdout, maxBytes)
}

/** An argument is text, so that a byte that is no UTF-8 can only be given as "any one byte". */
export function pathspec(path: string): string {
  const bytes = pathBytes(path)
  if (isUtf8(bytes)) return `:(top,literal)${bytes.toString('utf8')}`
  const glob = Array.from(bytes, (byte) => (byte >= 0x80 || special.includes(byte) ? '?' : String.fromCharCode(byte)))
  return `:(top,glob)${glob.join('')}`
}
const special = Buffer.from('*?[]\\')

export function cutPatch(patch: Buffer, maxBytes: number): string {
  if (patch.length <= maxBytes) return patch.toString('utf8')
  const end = patch.subarray(0, maxBytes).lastIndexOf(0x0a) + 1
  return `${patch.toString('utf8', 0, end)}[cut here: the diff is longer than ${maxBytes} bytes]\n`
}
