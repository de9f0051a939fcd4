import { isAbsolute, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CommitSha, TreeSha } from '../domain/ids.ts'
import type { Finding } from '../domain/verdict.ts'
import type { History } from '../ports/repository.ts'

/** A path as a tool names it (absolute, a file URL, relative to the checkout) as a path of the tree; null outside it. */
export function treePath(named: string, checkout: string): string | null {
  const path = named.startsWith('file:') ? pathOfUrl(named) : named
  if (path === null || path === '' || path.includes('\0')) return null
  const inside = isAbsolute(path) ? relative(checkout, path) : normalize(path)
  return inside === '' || inside === '.' || inside === '..' || inside.startsWith('../') || isAbsolute(inside)
    ? null
    : inside
}

function pathOfUrl(url: string): string | null {
  try {
    return fileURLToPath(url)
  } catch {
    return null
  }
}

/**
 * Findings only on lines that exist: a line that its file does not have is taken off its finding, and so is a place
 * whose file is not in the tree.
 */
export async function onRealLines(
  findings: readonly Finding[],
  tree: { readonly history: Pick<History, 'readMany'>; readonly at: CommitSha | TreeSha },
): Promise<readonly Finding[]> {
  const paths = [...new Set(findings.flatMap(({ place }) => (place === null ? [] : [place.path])))]
  if (paths.length === 0) return findings
  const files = await tree.history.readMany(tree.at, paths)
  const lines = new Map(Array.from(files, ([path, bytes]) => [path, countLines(bytes)]))
  return findings.map((finding) => {
    if (finding.place === null) return finding
    const { path, line } = finding.place
    const count = lines.get(path)
    if (count === undefined) return { ...finding, place: null, message: `${path}: ${finding.message}` }
    return line !== null && line > count ? { ...finding, place: { path, line: null } } : finding
  })
}

function countLines(bytes: Uint8Array): number {
  let count = bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0
  for (const byte of bytes) if (byte === 10) count++
  return Math.max(count, 1)
}
