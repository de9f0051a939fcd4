import picomatch from 'picomatch'
import { z } from 'zod'
import type { Settings } from '../../domain/settings.ts'
import type { Judged } from '../../ports/gate.ts'
import { isManifest } from './packages.ts'
import type { Breach } from './paths.ts'

/**
 * Scripts of package.json that commands of the protected settings call, and that the change has given another body:
 * who writes the script of a gate judges themselves. A package.json that is new has no body to differ from.
 */
export async function scriptBreaches({
  repository,
  settings,
  baseTree,
  tree,
  changes,
}: Pick<Judged, 'repository' | 'settings' | 'baseTree' | 'tree' | 'changes'>): Promise<readonly Breach[]> {
  const manifests = changes.filter(({ path, before }) => isManifest(path) && before !== null).map(({ path }) => path)
  if (manifests.length === 0) return []
  const [before, after] = await Promise.all([
    repository.readMany(baseTree, [...new Set(['package.json', ...manifests])]),
    repository.readMany(tree, manifests),
  ])
  const bodies = new Map(Array.from(before, ([path, bytes]) => [path, readScripts(bytes)] as const))
  const called = calledScripts(gateLines(settings), [...bodies.values()])
  return manifests.flatMap((path) => {
    const [was, now] = [bodies.get(path) ?? new Map<string, string>(), readScripts(after.get(path))]
    return [...new Set([...was.keys(), ...now.keys()])]
      .filter((name) => called(name) && was.get(name) !== now.get(name))
      .map((name) => ({
        rule: 'scripts-changed',
        path,
        message: `the script ${name} of ${path} is another one than on the base, and a gate calls it`,
        mend: `put the script ${name} back as it is on the base; people change it, or spell it out in .gaffer/gaffer.yaml`,
      }))
  })
}

/** Command lines of gates: any text of an entry may be one. */
export const gateLines = ({ gates }: Pick<Settings, 'gates'>): readonly string[] =>
  Object.values(gates).flatMap((entry) => Object.values(entry).filter((value) => typeof value === 'string'))

/** Whether a script is called by one of the lines, or by a script that is, or before or after such a one. Pure. */
export function calledScripts(
  lines: readonly string[],
  manifests: readonly ReadonlyMap<string, string>[],
): (name: string) => boolean {
  const patterns = new Set<string>()
  const isCalled = (name: string): boolean => {
    const plain = name.replace(/^(?:pre|post)/, '')
    return [...patterns].some((pattern) => [name, plain].some((one) => one === pattern || matches(one, pattern)))
  }
  const seen = new Set<string>()
  for (let waiting = lines; waiting.length > 0;) {
    for (const pattern of waiting.flatMap(namesAfterRunner)) patterns.add(pattern)
    waiting = manifests
      .flatMap((scripts) => [...scripts].filter(([name]) => isCalled(name)).map(([, body]) => body))
      .filter((body) => !seen.has(body))
    for (const body of waiting) seen.add(body)
  }
  return isCalled
}

const runners =
  /^(?:.*\/)?(?:npm|pnpm|yarn|yarnpkg|bun|npm-run-all2?|run-s|run-p|turbo|lerna|nx|wireit|concurrently|--run(?:=.*)?)$/
const short: Readonly<Record<string, readonly string[]>> = {
  t: ['test'],
  tst: ['test'],
  restart: ['restart', 'stop', 'start'],
}

/** Every word after a program that runs scripts may be a script's name; one too many costs nothing. */
function namesAfterRunner(line: string): readonly string[] {
  return line.split(/[;&|\n]+/).flatMap((command) => {
    const words = command.split(/[\s'"`()$]+/).flatMap((word) => [word, ...word.split(/^npm:|^--run=/).slice(1)])
    const runner = words.findIndex((word) => runners.test(word) || word.startsWith('npm:'))
    if (runner < 0) return []
    return words.slice(runner).flatMap((word) => (word === '' ? [] : (short[word] ?? [word])))
  })
}

/** `run-s lint:*` */
const matches = (name: string, pattern: string): boolean =>
  pattern.includes('*') &&
  picomatch.isMatch(name.replaceAll(':', '/'), pattern.replaceAll(':', '/'), { dot: true, bash: true })

const manifestSchema = z.looseObject({ scripts: z.record(z.string(), z.unknown()).optional().catch(undefined) })

/** What cannot be read has no script, so that a package.json that is gone or broken has lost all of them. */
function readScripts(bytes: Uint8Array | undefined): ReadonlyMap<string, string> {
  const scripts = manifestSchema.safeParse(jsonOf(bytes)).data?.scripts ?? {}
  return new Map(Object.entries(scripts).map(([name, body]) => [name, String(body)]))
}

function jsonOf(bytes: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
