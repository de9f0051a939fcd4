import picomatch from 'picomatch'
import type { Brief, NeverLine } from '../../domain/brief.ts'
import { governedFolder, paths } from '../../domain/settings.ts'
import type { FileChange } from '../../ports/repository.ts'

/** A rule of the brief, or of Gaffer itself, that a change breaks. */
export interface Breach {
  readonly rule: string
  readonly path: string | null
  readonly message: string
  readonly mend: string
}

/** Gaffer itself writes these two on the branch; no more than these, and only as regular files. */
const written: readonly string[] = [paths.plan, paths.changelog]

/** Changed paths that the brief does not allow, that it forbids, or that govern agents. Pure. */
export function pathBreaches(changes: readonly FileChange[], brief: Pick<Brief, 'scope' | 'never'>): readonly Breach[] {
  const isInScope = brief.scope.length === 0 ? () => true : matcher(brief.scope)
  const forbidden = brief.never.flatMap((line) =>
    line.kind === 'path' ? [{ line, matches: matcher([line.glob]) }] : [],
  )
  return changes.flatMap((change) => {
    const { path, after } = change
    if (isGoverned(path)) return [breach('governed-path', path, `${path} governs agents, and no agent changes it`)]
    if (written.includes(path) && (after === null || after.mode === '100644')) return []
    const never = forbidden.find(({ matches }) => matches(path))
    if (never !== undefined)
      return [breach('forbidden-path', path, `${path} is under \`${never.line.glob}\`, which the brief forbids`)]
    const control = controlSegment(path)
    if (control !== undefined && !brief.scope.some((glob) => namesSegment(glob, control) && matcher([glob])(path)))
      return [
        breach('control-file', path, `${path} controls the repository, and the scope of the brief does not name it`),
      ]
    if (!isInScope(path))
      return [breach('out-of-scope', path, `${path} is outside of the scope (${brief.scope.join(', ')})`)]
    if (after?.mode === '160000' && !brief.scope.includes(path))
      return [breach('submodule', path, `${path} is a submodule, whose content nobody judges`)]
    return []
  })
}

/** Braces, hidden files and all: a glob of a brief means what it says. */
export const matcher = (globs: readonly string[]): ((path: string) => boolean) => picomatch([...globs], { dot: true })

/** On some people's disks `.Gaffer` is `.gaffer`. */
const isGoverned = (path: string): boolean => `${path}/`.toLowerCase().startsWith(governedFolder)

/** The part of a path that makes it a control file: `.github`, `.gitattributes`, `CODEOWNERS`. */
const controlSegment = (path: string): string | undefined =>
  path
    .split('/')
    .find(
      (segment, index, all) => /^\.git/i.test(segment) || (index === all.length - 1 && /^CODEOWNERS$/i.test(segment)),
    )

const namesSegment = (glob: string, segment: string): boolean => glob.split('/').includes(segment)

const breach = (rule: string, path: string, message: string): Breach => ({
  rule,
  path,
  message,
  mend:
    rule === 'out-of-scope'
      ? `put ${path} back, or ask the owner to widen the scope`
      : `put ${path} back as it is on the base`,
})

export type DependencyRule = Extract<NeverLine, { kind: 'dependency' }>
