import { posix } from 'node:path'
import { hasGrammar, withSyntax } from '../../codegraph/syntax.ts'
import type { Judged } from '../../ports/gate.ts'
import { importedPackages, type Import } from './imports.ts'
import {
  forbiddenPackages,
  isLockfile,
  isManifest,
  readLockedNames,
  readManifest,
  ruleAgainst,
  type Manifest,
} from './packages.ts'
import type { Breach, DependencyRule } from './paths.ts'

type Change = Pick<Judged, 'repository' | 'baseTree' | 'tree' | 'changes'>

/** What the change does to the packages that the repository depends on, against the rules of the brief. */
export async function dependencyBreaches(change: Change, rules: readonly DependencyRule[]): Promise<readonly Breach[]> {
  const found = await Promise.all([
    manifestBreaches(change, rules),
    lockfileBreaches(change, rules),
    rules.length === 0 ? [] : importBreaches(change, rules),
  ])
  return found.flat()
}

async function manifestBreaches(change: Change, rules: readonly DependencyRule[]): Promise<readonly Breach[]> {
  const files = await bothSides(change, isManifest)
  return files.flatMap(({ path, before, after }) => {
    if (after === undefined) return []
    const now = readManifest(after)
    if (now === undefined) return [unreadable(path)]
    const was = before === undefined ? undefined : readManifest(before)
    return forbiddenPackages({ path, before: was?.packages ?? new Set(), after: now.packages, rules })
  })
}

async function lockfileBreaches(change: Change, rules: readonly DependencyRule[]): Promise<readonly Breach[]> {
  const files = await bothSides(change, isLockfile)
  const manifestChanged = change.changes.some(({ path }) => isManifest(path))
  return files.flatMap(({ path, before, after }): readonly Breach[] => {
    if (after === undefined) return []
    const alone = manifestChanged ? [] : [lockfileAlone(path)]
    const now = readLockedNames(path, after)
    if (now === undefined) return rules.length > 0 ? [...alone, unreadable(path)] : alone
    const was = before === undefined ? undefined : readLockedNames(path, before)
    return [...alone, ...forbiddenPackages({ path, before: was ?? new Set(), after: now, rules })]
  })
}

const lockfileAlone = (path: string): Breach => ({
  rule: 'lockfile-without-manifest',
  path,
  message: `${path} changed, and no package.json did`,
  mend: `put ${path} back as it is on the base`,
})
const unreadable = (path: string): Breach => ({
  rule: 'unreadable-dependencies',
  path,
  message: `${path} cannot be read, so that nobody can see what it brings in`,
  mend: `write ${path} anew with the package manager`,
})

/** An import of what no package.json declares is a dependency too, however it came into node_modules. */
async function importBreaches(change: Change, rules: readonly DependencyRule[]): Promise<readonly Breach[]> {
  const changed = change.changes.filter(({ path, after }) => hasGrammar(path) && after?.mode.startsWith('100') === true)
  if (changed.length === 0) return []
  const paths = changed.map(({ path }) => path)
  const [before, after, entries] = await Promise.all([
    importsOf(change, change.baseTree, paths),
    importsOf(change, change.tree, paths),
    change.repository.list(change.tree),
  ])
  const known = new Set([...before.values()].flat().map(({ name }) => name))
  const manifests = await manifestsOf(
    change,
    entries.map(({ path }) => path),
  )
  const folders = new Set(entries.flatMap(({ path }) => foldersOf(path)))
  return [...after].flatMap(([path, imports]) =>
    imports
      .filter(({ name }) => !known.has(name) && !isDeclared(name, path, manifests) && !isFolder(name, path, folders))
      .filter(({ name }) => ruleAgainst(name, rules) !== undefined)
      .map(({ name, line }) => ({
        rule: 'undeclared-import',
        path,
        message: `line ${line} imports ${name}, which no package.json declares and the brief forbids`,
        mend: `do without ${name}`,
      })),
  )
}

async function importsOf(
  { repository }: Change,
  at: Change['tree'],
  paths: readonly string[],
): Promise<ReadonlyMap<string, readonly Import[]>> {
  const imports = new Map<string, readonly Import[]>()
  for (const [path, bytes] of await repository.readMany(at, paths))
    imports.set(path, (await withSyntax(path, new TextDecoder().decode(bytes), importedPackages)) ?? [])
  return imports
}

async function manifestsOf(
  { repository, tree }: Change,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Manifest>> {
  const own = paths.filter((path) => isManifest(path) && !path.split('/').includes('node_modules'))
  const texts = await repository.readMany(tree, own)
  return new Map(
    Array.from(texts, ([path, bytes]) => [path, readManifest(new TextDecoder().decode(bytes))] as const).flatMap(
      ([path, manifest]) => (manifest === undefined ? [] : [[posix.dirname(path), manifest] as const]),
    ),
  )
}

/** Declared by the file's own package or one above it, by its types alone, or a package of this repository. */
function isDeclared(name: string, path: string, manifests: ReadonlyMap<string, Manifest>): boolean {
  const types = `@types/${name.startsWith('@') ? name.slice(1).replace('/', '__') : name}`
  return [...manifests].some(
    ([folder, { name: own, packages }]) =>
      own === name ||
      ((folder === '.' || path.startsWith(`${folder}/`)) && (packages.has(name) || packages.has(types))),
  )
}

/** `src/orders.ts` and the like: a path from the root or from the source folder, by a path mapping. */
const isFolder = (name: string, path: string, folders: ReadonlySet<string>): boolean =>
  foldersOf(path).some((above) => folders.has(posix.join(above, name))) || folders.has(name)

const foldersOf = (path: string): readonly string[] => {
  const above = posix.dirname(path)
  return above === '.' ? ['.'] : [...foldersOf(above), above]
}

async function bothSides({ repository, baseTree, tree, changes }: Change, isWanted: (path: string) => boolean) {
  const paths = changes.map(({ path }) => path).filter(isWanted)
  const decode = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : new TextDecoder().decode(bytes))
  const [before, after] = await Promise.all([repository.readMany(baseTree, paths), repository.readMany(tree, paths)])
  return paths.map((path) => ({ path, before: decode(before.get(path)), after: decode(after.get(path)) }))
}
