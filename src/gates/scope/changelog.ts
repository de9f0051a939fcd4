import type { Brief } from '../../domain/brief.ts'
import { paths } from '../../domain/settings.ts'
import type { Judged } from '../../ports/gate.ts'
import type { Breach } from './paths.ts'

/**
 * At the end of a task Gaffer has written its entry into the changelog, whatever the scope; nobody has taken a line
 * out of it. Before that the changelog is a path like any other (paths.ts). A brief whose scope names the very file
 * lets it be rewritten.
 */
export async function changelogBreaches(
  {
    repository,
    baseTree,
    tree,
    changes,
    level,
  }: Pick<Judged, 'repository' | 'baseTree' | 'tree' | 'changes' | 'level'>,
  { scope }: Pick<Brief, 'scope'>,
): Promise<readonly Breach[]> {
  const path = paths.changelog
  const change = changes.find((one) => one.path === path)
  if (level !== 'final' || change === undefined || change.before === null || scope.includes(path)) return []
  const [before, after] = await Promise.all([baseTree, tree].map((at) => repository.readMany(at, [path])))
  const [was, now] = [before?.get(path), after?.get(path)]
  if (was !== undefined && now !== undefined && onlyAdds(textOf(was), textOf(now))) return []
  return [
    {
      rule: 'changelog-rewritten',
      path,
      message: `${path} ${change.after === null ? 'is gone' : 'has lost or changed lines that stand on the base'}`,
      mend: `put every line of ${path} back as it is on the base`,
    },
  ]
}

/** Whether every line of a text is still there, in its order. Pure. */
export function onlyAdds(before: string, after: string): boolean {
  const wanted = linesOf(before)
  let at = 0
  for (const line of linesOf(after)) if (at < wanted.length && line === wanted[at]) at += 1
  return at === wanted.length
}

/** Of a blank file nothing has to stay: Gaffer begins it anew. */
const linesOf = (text: string): readonly string[] =>
  text.trim() === '' ? [] : text.split('\n').slice(0, text.endsWith('\n') ? -1 : undefined)

/** Byte for byte, whatever the encoding. */
const textOf = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes)
