import { z } from 'zod'

export interface FoundGate {
  readonly name: 'tests' | 'lint' | 'types'
  /** `command` where the tests write no report that can be counted: then the exit code alone speaks. */
  readonly gate: 'tests' | 'lint' | 'types' | 'command'
  readonly run: string
}
export interface Gates {
  readonly found: readonly FoundGate[]
  readonly installer: 'npm' | 'none'
  /** Globs of files that people seem to own. */
  readonly contracts: readonly string[]
  readonly notes: readonly string[]
}

const manifestSchema = z.object({
  scripts: z.record(z.string(), z.string()).default({}),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
})
type Scripts = Readonly<Record<string, string>>
const npmLocks = ['package-lock.json', 'npm-shrinkwrap.json']
const otherLocks = ['pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb']
const contractFolders = ['test/contract', 'test/contracts', 'tests/contract', 'tests/contracts']

/** The commands of a repository that can judge a change, as far as it says so itself. Pure. */
export function findGates(files: ReadonlyMap<string, string>, tracked: readonly string[]): Gates {
  const has = (path: string): boolean => tracked.includes(path)
  const contracts = contractFolders
    .filter((folder) => tracked.some((path) => path.startsWith(`${folder}/`)))
    .map((folder) => `${folder}/**`)
  const text = files.get('package.json')
  if (text === undefined) return { found: [], installer: 'none', contracts, notes: [] }
  const manifest = manifestSchema.safeParse(jsonOf(text))
  if (!manifest.success) return { found: [], installer: 'none', contracts, notes: ['package.json cannot be read'] }

  const { scripts, dependencies, devDependencies } = manifest.data
  const found = [testGate(scripts), lintGate(scripts), typesGate(scripts, devDependencies, has)].filter(
    (gate) => gate !== undefined,
  )
  const installer = npmLocks.some(has) ? 'npm' : 'none'
  const needs = Object.keys({ ...dependencies, ...devDependencies }).length > 0
  const foreign = otherLocks.find(has)
  const noLock =
    foreign === undefined ? 'commit one: npm install --package-lock-only' : `${foreign} is of another package manager`
  return {
    found,
    installer,
    contracts,
    notes: [
      ...(installer === 'none' && needs
        ? [`dependencies cannot be installed in the clean room, as there is no npm lockfile (${noLock})`]
        : []),
      ...(found.some(({ name, gate }) => name === 'tests' && gate === 'command')
        ? [
            'tests are judged by their exit code alone: let them write JUnit XML to $GAFFER_REPORTS/junit.xml, and they are counted too',
          ]
        : []),
    ],
  }
}

const report = '"$GAFFER_REPORTS/junit.xml"'

/** Runners are asked for JUnit XML in their own way; a script that does it by itself is taken as it is. */
function testGate(scripts: Scripts): FoundGate | undefined {
  const { test } = scripts
  if (test === undefined || test.trim() === '' || test.includes('no test specified')) return undefined
  const tests = (run: string): FoundGate => ({ name: 'tests', gate: 'tests', run })
  const spelled = spellOut(scripts, 'test')
  if (test.includes('GAFFER_REPORTS')) return tests(spelled ?? 'npm test')
  const simple = !/[;&|<>]/.test(test)
  const [program = ''] = test.trim().split(/\s+/)
  if (simple && program === 'vitest') {
    const once = /^vitest\s+run\b|--run\b/.test(test.trim()) ? '' : '--run '
    const asked = `${once}--reporter=junit --outputFile=${report}`
    return tests(spelled === undefined ? `npm test -- ${asked}` : `${spelled} ${asked}`)
  }
  if (simple && /^node\s(?:.*\s)?--test(?=\s|$)/.test(test.trim()) && !test.includes('--test-reporter'))
    return tests(
      spelled?.replace(
        /\s--test(?=\s|$)/,
        () => ` --test --test-reporter=junit --test-reporter-destination=${report}`,
      ) ?? `NODE_OPTIONS="--test-reporter=junit --test-reporter-destination=$GAFFER_REPORTS/junit.xml" npm test`,
    )
  return { name: 'tests', gate: 'command', run: spelled ?? 'npm test' }
}

const lintGate = (scripts: Scripts): FoundGate | undefined =>
  scripts['lint'] === undefined
    ? undefined
    : { name: 'lint', gate: 'lint', run: spellOut(scripts, 'lint') ?? 'npm run lint' }

/**
 * The body of a script, for gaffer.yaml to hold: what stands in package.json an agent can change. undefined where the
 * body means something only inside of npm: it calls other scripts, has one before or after it, or asks npm's variables.
 */
function spellOut(scripts: Scripts, name: string): string | undefined {
  const body = scripts[name]?.trim() ?? ''
  const has = (other: string): boolean => scripts[other] !== undefined
  const callsScripts =
    /\b(?:npm|pnpm|yarn|bun|npm-run-all2?|run-s|run-p|wireit|turbo|lerna|nx)\b|--run\b(?=[\s=]+\S)/.test(
      body.replace(/^vitest\b.*$/, ''), // its own --run
    )
  const asksNpm = /npm_|INIT_CWD/.test(body)
  const isOneLine = /^[^\p{Cc}]+$/u.test(body)
  return !isOneLine || callsScripts || asksNpm || has(`pre${name}`) || has(`post${name}`) ? undefined : body
}

function typesGate(
  scripts: Scripts,
  devDependencies: Readonly<Record<string, string>>,
  has: (path: string) => boolean,
): FoundGate | undefined {
  const script = ['types', 'typecheck', 'type-check', 'check-types', 'tsc'].find((name) => scripts[name] !== undefined)
  if (script !== undefined)
    return { name: 'types', gate: 'types', run: spellOut(scripts, script) ?? `npm run ${script}` }
  return has('tsconfig.json') && devDependencies['typescript'] !== undefined
    ? { name: 'types', gate: 'types', run: 'tsc --noEmit' }
    : undefined
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
