import { posix } from 'node:path'
import picomatch from 'picomatch'
import { z } from 'zod'
import type { Breach, DependencyRule } from './paths.ts'

const names = z.record(z.string(), z.unknown()).catch({})
const manifestSchema = z.looseObject({
  name: z.string().optional().catch(undefined),
  dependencies: names.optional(),
  devDependencies: names.optional(),
  optionalDependencies: names.optional(),
  peerDependencies: names.optional(),
  overrides: names.optional(),
  resolutions: names.optional(),
})
const kinds = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const

/** What a package.json says of packages; undefined when it is not JSON. */
export interface Manifest {
  readonly name: string | null
  /** Ranges by kind and name, as written. */
  readonly declared: ReadonlyMap<string, string>
  /** Every package that may come in through it: by name, behind an `npm:` alias, by an override. */
  readonly packages: ReadonlySet<string>
}

export function readManifest(text: string): Manifest | undefined {
  const parsed = manifestSchema.safeParse(jsonOf(text))
  if (!parsed.success) return undefined
  const entries = kinds.flatMap((kind) =>
    Object.entries(parsed.data[kind] ?? {}).map(([name, range]) => ({ kind, name, range })),
  )
  const overrides = [parsed.data.overrides, parsed.data.resolutions].flatMap((one) => aliases(one))
  return {
    name: parsed.data.name ?? null,
    declared: new Map(entries.map(({ kind, name, range }) => [`${kind} ${name}`, String(range)])),
    packages: new Set([...entries.flatMap(({ name, range }) => [name, ...aliases(range)]), ...overrides]),
  }
}

/** Names behind `npm:` in a range, or anywhere in nested overrides. */
function aliases(value: unknown): readonly string[] {
  if (typeof value === 'string') {
    const name = /^npm:(@?[^@]+)/.exec(value)?.[1]
    return name === undefined ? [] : [name]
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(aliases) : []
}

export const isManifest = (path: string): boolean => posix.basename(path) === 'package.json'

const lockfiles = ['package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml', 'bun.lock', 'bun.lockb']
export const isLockfile = (path: string): boolean => lockfiles.includes(posix.basename(path))

const npmLockSchema = z.looseObject({
  packages: z.record(z.string(), z.looseObject({ name: z.string().optional() })).optional(),
  dependencies: z.record(z.string(), z.unknown()).optional(),
})

/** Names of the packages in a lockfile; undefined when it cannot be read. */
export function readLockedNames(path: string, text: string): ReadonlySet<string> | undefined {
  switch (posix.basename(path)) {
    case 'package-lock.json':
    case 'npm-shrinkwrap.json':
      return npmNames(text)
    case 'yarn.lock': // `"@scope/name@npm:^1", name@^2:`
      return namesIn(text, /^(?! )"?(@?[^@\s"]+)@/gm)
    case 'pnpm-lock.yaml': // `  '@scope/name@1.0.0':` and older `  /name/1.0.0:`
      return namesIn(text, /^ {2}['"]?\/?(@[^/\s]+\/[^@/\s]+|[^@/\s'"]+)[@/]\d/gm)
    case 'bun.lock': // `    "name": ["name@1.0.0", …`
      return namesIn(text, /\["(@?[^@"\s]+)@/g)
    default:
      return undefined
  }
}

function npmNames(text: string): ReadonlySet<string> | undefined {
  const parsed = npmLockSchema.safeParse(jsonOf(text))
  if (!parsed.success) return undefined
  const { packages = {}, dependencies = {} } = parsed.data
  const folders = Object.entries(packages).flatMap(([folder, { name }]) => {
    const at = folder.lastIndexOf('node_modules/')
    return at < 0 ? [] : [folder.slice(at + 'node_modules/'.length), ...(name === undefined ? [] : [name])]
  })
  return new Set([...folders, ...Object.keys(dependencies)])
}

const namesIn = (text: string, form: RegExp): ReadonlySet<string> =>
  new Set(Array.from(text.matchAll(form), ([, name = '']) => name).filter((name) => name !== ''))

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The rule of the brief that forbids a package; `*` forbids every one that is new. */
export const ruleAgainst = (name: string, rules: readonly DependencyRule[]): DependencyRule | undefined =>
  rules.find((rule) => rule.name === '*' || rule.name === name || picomatch.isMatch(name, rule.name, { dot: true }))

/** New names in a manifest or lockfile that the brief forbids. Pure. */
export function forbiddenPackages(input: {
  readonly path: string
  readonly before: ReadonlySet<string>
  readonly after: ReadonlySet<string>
  readonly rules: readonly DependencyRule[]
}): readonly Breach[] {
  const { path, before, after, rules } = input
  return [...after]
    .filter((name) => !before.has(name) && ruleAgainst(name, rules) !== undefined)
    .map((name) => ({
      rule: 'forbidden-dependency',
      path,
      message: `${path} brings in the package ${name}; the brief forbids ${ruleAgainst(name, rules)?.name === '*' ? 'new dependencies' : 'it'}`,
      mend: `do without ${name}, and take it out of package.json and the lockfile`,
    }))
}
