import type { Judged } from '../../ports/gate.ts'
import type { Breach } from './paths.ts'

/** A merged tree has no workspace whose problems were found, so that links are looked at in the tree as well. */
export async function linkBreaches({
  changes,
  problems,
  repository,
  baseTree,
  tree,
}: Judged): Promise<readonly Breach[]> {
  const links = changes.filter(
    ({ path, after }) => after?.mode === '120000' && !problems.some((one) => one.path === path),
  )
  const found = await Promise.all(
    links.map(async ({ path }) => {
      const target = targetIn(await repository.patch(baseTree, tree, { maxBytes: 64_000, paths: [path] }))
      if (target !== undefined && staysInside(path, target)) return []
      const message = `${path} is a symlink ${target === undefined ? 'that cannot be read' : 'that leaves the repository'}`
      return [{ rule: 'symlink-leaves', path, message, mend: `remove ${path}` }]
    }),
  )
  return found.flat()
}

/** What a changed symlink points at, from its diff: git shows a link as a file with the target in it. */
export function targetIn(patch: string): string | undefined {
  let isInHunk = false
  const added: string[] = []
  for (const line of patch.split('\n')) {
    if (line.startsWith('diff --git ')) isInHunk = false
    else if (line.startsWith('@@ ')) isInHunk = true
    else if (isInHunk && line.startsWith('+')) added.push(line.slice(1))
    else if (line.startsWith('[cut here')) return undefined
  }
  return added.length === 0 ? undefined : added.join('\n')
}

/** Whether a link at `path` leads to a place of the repository, without looking at other links on the way. */
export function staysInside(path: string, target: string): boolean {
  if (target.startsWith('/') || target.includes('\0')) return false
  let depth = path.split('/').length - 1
  for (const segment of target.split('/')) {
    if (segment === '..') depth--
    else if (segment !== '' && segment !== '.') depth++
    if (depth < 0) return false
  }
  return true
}
