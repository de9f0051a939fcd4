import { posix } from 'node:path'
import { z } from 'zod'
import { Fault } from '../../domain/fault.ts'

const packageSchema = z.looseObject({
  resolved: z.string().optional(),
  link: z.boolean().optional(),
  inBundle: z.boolean().optional(),
})
const names = z.record(z.string(), z.string()).default({})
const declaredSchema = z.looseObject({
  dependencies: names,
  devDependencies: names,
  optionalDependencies: names,
  peerDependencies: names,
})
const lockfileSchema = z.looseObject({
  lockfileVersion: z.union([z.literal(2), z.literal(3)]),
  packages: z.record(z.string(), packageSchema),
})

/** What a lockfile asks to be installed. */
export interface Lockfile {
  /** Folders of the repository that are packages of their own (workspaces): each has a package.json, and may have a node_modules. */
  readonly workspaces: readonly string[]
  /** Whether there is anything to install. */
  readonly isEmpty: boolean
}

/**
 * Reads package-lock.json (version 2 or 3), fail closed: what npm would fetch by other means than from a registry
 * (git, a file, a folder outside) is refused, because installing it would run somebody's code or read this machine.
 * @throws Fault dependencies-unavailable
 */
export function readLockfile(text: string, name: string): Lockfile {
  const parsed = lockfileSchema.safeParse(jsonOf(text))
  if (!parsed.success)
    throw unavailable(
      `${name} is not a lockfile of version 2 or 3`,
      'write it anew with `npm install` of npm 7 or later',
    )
  const entries = Object.entries(parsed.data.packages)
  for (const [path, { resolved, link }] of entries) {
    if (!isInside(path)) throw unavailable(`${name} has a package outside of the repository: ${path}`, useRegistry)
    if (link === true ? !isInside(resolved ?? '') : resolved !== undefined && !/^https?:\/\//.test(resolved))
      throw unavailable(`${name} takes ${path} from ${(resolved ?? 'nowhere').slice(0, 200)}`, useRegistry)
  }
  return {
    workspaces: entries
      .map(([path]) => path)
      .filter((path) => path !== '' && !path.split('/').includes('node_modules'))
      .toSorted(),
    isEmpty: !entries.some(([path]) => path.split('/').includes('node_modules')),
  }
}

/**
 * What a package.json asks for and its lockfile does not know, as `name@range`; undefined when it is no package.json.
 * npm would look for it in the registry before it refuses.
 * @param folder of the package.json, '' being the root
 */
export function missingFromLockfile(manifest: string, lockfile: string, folder: string): readonly string[] | undefined {
  const wanted = declaredSchema.safeParse(jsonOf(manifest))
  const locked = lockfileSchema.safeParse(jsonOf(lockfile))
  if (!wanted.success || !locked.success) return undefined
  const known = new Set(declared(declaredSchema.safeParse(locked.data.packages[folder] ?? {}).data))
  return declared(wanted.data).filter((one) => !known.has(one))
}

const declared = (manifest: z.infer<typeof declaredSchema> | undefined): readonly string[] =>
  manifest === undefined
    ? []
    : [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies, manifest.peerDependencies]
        .flatMap((kind) => Object.entries(kind))
        .map(([name, range]) => `${name}@${range}`)

const useRegistry = 'depend on packages of a registry, or on workspaces of this repository'

const isInside = (path: string): boolean => {
  const normal = posix.normalize(path)
  return !posix.isAbsolute(path) && normal !== '..' && !normal.startsWith('../') && !/[\\\0:]/.test(path)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const unavailable = (
  message: string,
  hint: string,
  more: { retryable?: boolean; cause?: unknown } = {},
): Fault => new Fault('dependencies-unavailable', message, { hint, ...more })
