import type { Brief, NeverLine } from '../../domain/brief.ts'
import { pathMatcher as matcher } from '../../domain/path-globs.ts'
import { governedFolder, paths } from '../../domain/settings.ts'
import type { FileChange } from '../../ports/repository.ts'

/** A rule of the brief, or of Gaffer itself, that a change breaks. */
export interface Breach {
  readonly rule: string
  readonly path: string | null
  readonly message: string
  readonly mend: string
}

/**
 * Gaffer itself writes these on the branch, as regular files: the plan beside each checkpoint, the changelog only when
 * everything is built. What else is said of the changelog then stands in changelog.ts.
 */
const written: Readonly<Record<Level, readonly string[]>> = {
  unit: [paths.plan],
  final: [paths.plan, paths.changelog],
}
type Level = 'unit' | 'final'

/** Changed paths that the brief does not allow, that it forbids, or that govern agents. Pure. */
export function pathBreaches(
  changes: readonly FileChange[],
  brief: Pick<Brief, 'scope' | 'never'>,
  level: Level,
): readonly Breach[] {
  const isInScope = brief.scope.length === 0 ? () => true : matcher(brief.scope)
  const forbidden = brief.never.flatMap((line) =>
    line.kind === 'path' ? [{ line, matches: matcher([line.glob]) }] : [],
  )
  return changes.flatMap((change) => {
    const { path, after } = change
    if (isGoverned(path)) return [breach('governed-path', path, `${path} governs agents, and no agent changes it`)]
    if (written[level].includes(path) && (after === null || after.mode === '100644')) return []
    const never = forbidden.find(({ matches }) => matches(path))
    if (never !== undefined)
      return [breach('forbidden-path', path, `${path} is under \`${never.line.glob}\`, which the brief forbids`)]
    const control = controlSegment(path)
    if (control !== undefined && !brief.scope.some((glob) => namesSegment(glob, control) && matcher([glob])(path)))
      return [
        breach('control-file', path, `${path} controls the repository, and the scope of the brief does not name it`),
      ]
    if (isToolSetting(path) && !brief.scope.includes(path))
      return [
        breach('tool-settings', path, `${path} decides how scripts run, and the scope of the brief does not name it`),
      ]
    if (!isInScope(path))
      return [breach('out-of-scope', path, `${path} is outside of the scope (${brief.scope.join(', ')})`)]
    if (after?.mode === '160000' && !brief.scope.includes(path))
      return [breach('submodule', path, `${path} is a submodule, whose content nobody judges`)]
    return []
  })
}

/** On some people's disks `.Gaffer` is `.gaffer`. */
const isGoverned = (path: string): boolean => `${path}/`.toLowerCase().startsWith(governedFolder)

/** The part of a path that makes it a control file: `.github`, `.gitattributes`, `CODEOWNERS`. */
const controlSegment = (path: string): string | undefined =>
  path
    .split('/')
    .find(
      (segment, index, all) => /^\.git/i.test(segment) || (index === all.length - 1 && /^CODEOWNERS$/i.test(segment)),
    )

/** They can put another program in the place of the shell that runs a gate's script, or load code into it. */
const isToolSetting = (path: string): boolean =>
  /(?:^|\/)(?:\.npmrc|\.yarnrc(?:\.ya?ml)?|\.pnpmfile\.[cm]?js|pnpm-workspace\.yaml|bunfig\.toml)$/i.test(path)

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
