import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, symlink } from 'node:fs/promises'
import { basename, delimiter, dirname, join, relative, sep } from 'node:path'
import { parse } from 'yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkBrief } from '../../src/delegate/brief/check-brief.ts'
import { digestOf } from '../../src/domain/json.ts'
import { settingsSchema, type Settings } from '../../src/domain/settings.ts'
import { contracts } from '../../src/gates/contracts/gate.ts'
import { scope } from '../../src/gates/scope/gate.ts'
import { secrets } from '../../src/gates/secrets/gate.ts'
import { unshown } from '../../src/gates/tests/acceptance.ts'
import { parseJUnit } from '../../src/reports/junit.ts'
import { judgeChange } from '../gate-bench.ts'
import { examples, playTurn, readExample, type Round } from '../replayed.ts'
import { temporaryFolder, type TemporaryFolder } from '../repositories.ts'

const orders = join(examples, 'orders')
const example = await readExample('orders-endpoint')
const briefText = await readFile(join(examples, 'briefs', 'orders-endpoint.md'), 'utf8')
const settings = await readSettings('orders.gaffer.yaml')
const contract = 'test/contract/problem-format.test.ts'

/** The rounds that go wrong, and who says so. */
const refusals: Readonly<Record<string, readonly string[]>> = {
  'order-id 1': ['scope'],
  'order-store 1': ['lint', 'tests'],
  'time-out-answer 1': ['contracts'],
}

let place: TemporaryFolder
beforeAll(async () => {
  place = await temporaryFolder()
})
afterAll(() => place.remove())

describe('what the example says', () => {
  test('the brief can be read with nothing to complain of, against the repository it is about', async () => {
    const around = { files: Object.keys(await filesIn(orders)), agents: Object.keys(settings.agents) }
    expect(checkBrief(example.brief, briefText, around)).toEqual([])
  })

  test('the plan delivers every acceptance line in at least four units, each of which is built and answered for', async () => {
    const { plan, brief, rounds } = example
    expect(plan.units.length).toBeGreaterThanOrEqual(4)
    expect(new Set(plan.units.flatMap(({ acceptance }) => acceptance))).toEqual(
      new Set(brief.acceptance.map(({ id }) => id)),
    )
    expect([...new Set(rounds.map(({ unit }) => unit))]).toEqual(plan.units.map(({ id }) => id))
    for (const { id } of plan.units) {
      const answers = await example.answers(id)
      expect(Math.min(...Object.values(answers).map((answer) => answer.length))).toBeGreaterThan(40)
    }
  })

  test('the lockfile names no registry', async () => {
    expect(await readFile(join(orders, 'package-lock.json'), 'utf8')).not.toMatch(/https?:/)
  })
})

test('the service passes its own gates before the change', async () => {
  expect((await judged(undefined)).refusing).toEqual([])
}, 180_000)

describe('the session, round by round', () => {
  test.each(example.rounds.map((round) => [`${round.unit} ${round.round}`, round] as const))(
    'after %s the gates say no that are meant to, and no other',
    async (name, round) => {
      expect(refusals[name] === undefined).toBe(round.isLast)
      expect((await judged(round)).refusing).toEqual(refusals[name] ?? [])
    },
    180_000,
  )

  test('the forgotten await is found where it is, and by the requests that race', async () => {
    const { lint, tests } = await judged(roundOf('order-store', 1))
    expect(lint.output).toMatch(/no-floating-promises[\s\S]*src\/database\/database\.ts/)
    expect(tests.output).toMatch(/✖ orders asked for at once are each found whole/)
    expect(tests.output).toMatch(/cannot start a transaction within a transaction/)
  }, 180_000)

  test('the edited contract hid a real break of it, and is put back byte for byte', async () => {
    const edited = await playedUpTo(roundOf('time-out-answer', 1))
    await cp(join(orders, contract), join(edited, contract))
    expect((await npm(edited, ['test'])).output).toMatch(/✖ every refusal is a problem with exactly these members/)

    const mended = await filesIn(await playedUpTo(roundOf('time-out-answer', 2)))
    expect(mended[contract]).toBe((await filesIn(orders))[contract])
  }, 180_000)

  test('the forbidden dependency is gone again, from the lockfile too', async () => {
    const [mended, before] = [await filesIn(await playedUpTo(roundOf('order-id', 2))), await filesIn(orders)]
    for (const path of ['package.json', 'package-lock.json']) expect(mended[path]).toBe(before[path])
  }, 180_000)

  test('in the end every acceptance line is shown by a test that passed', async () => {
    const { folder, reports } = await judged(example.rounds.at(-1))
    const report = parseJUnit(await readFile(join(reports, 'junit.xml'), 'utf8'))
    expect(unshown(example.brief.acceptance, report?.cases ?? [], folder)).toEqual([])
  }, 180_000)
})

interface Judgement {
  readonly folder: string
  readonly reports: string
  /** Names of the gates that say no, in alphabetical order. */
  readonly refusing: readonly string[]
  readonly tests: Ran
  readonly lint: Ran
}

/** What the gates say after a round, asked once for each round; undefined is the service as it was. */
const judgements = new Map<Round | undefined, Promise<Judgement>>()
function judged(round: Round | undefined): Promise<Judgement> {
  const known = judgements.get(round) ?? judge(round)
  judgements.set(round, known)
  return known
}

async function judge(round: Round | undefined): Promise<Judgement> {
  const folder = await playedUpTo(round)
  const reports = await mkdtemp(join(place.path, 'reports-'))
  const change = { base: await filesIn(orders), tree: await filesIn(folder), brief: example.brief, settings }
  const [tests, lint, types, ...verdicts] = await Promise.all([
    npm(folder, ['test'], { GAFFER_REPORTS: reports }),
    npm(folder, ['run', 'lint']),
    npm(folder, ['run', 'types']),
    ...[contracts, scope, secrets].map(async (gate) => ({ gate: gate.name, verdict: await judgeChange(gate, change) })),
  ])
  const refusing = [
    ...Object.entries({ tests, lint, types }).flatMap(([name, { ok }]) => (ok ? [] : [name])),
    ...verdicts.flatMap(({ gate, verdict }) => (verdict.kind === 'failed' ? [gate] : [])),
  ]
  return { folder, reports, refusing: refusing.toSorted(), tests, lint }
}

/** A new copy of examples/orders after all rounds up to this one, with its dependencies. */
async function playedUpTo(last: Round | undefined): Promise<string> {
  const folder = join(await mkdtemp(join(place.path, 'played-')), 'orders')
  await cp(orders, folder, { recursive: true, filter: (path) => basename(path) !== 'node_modules' })
  for (const { turn } of last === undefined ? [] : example.rounds.slice(0, example.rounds.indexOf(last) + 1))
    await playTurn(turn, folder)
  await symlink(await installed(folder), join(folder, 'node_modules'))
  return folder
}

/** What a lockfile installs, once for each of them. */
const installs = new Map<string, Promise<string>>()
async function installed(folder: string): Promise<string> {
  const files = ['package.json', 'package-lock.json', '.npmrc']
  const key = digestOf((await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join())
  const install = async (): Promise<string> => {
    const into = await mkdtemp(join(place.path, 'installed-'))
    for (const file of files) await cp(join(folder, file), join(into, file))
    const { ok, output } = await npm(into, ['ci', '--ignore-scripts'])
    if (!ok) throw new Error(output)
    return join(into, 'node_modules')
  }
  const known = installs.get(key) ?? install()
  installs.set(key, known)
  return known
}

interface Ran {
  readonly ok: boolean
  readonly output: string
}

function npm(cwd: string, words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const { GAFFER_REPORTS: _, ...inherited } = process.env
  const path = [dirname(process.execPath), inherited['PATH']].join(delimiter)
  const options = { cwd, env: { ...inherited, NO_COLOR: '1', ...more, PATH: path }, maxBuffer: 1 << 26 }
  return new Promise((resolve) => {
    execFile('npm', [...words], options, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: `${stdout}${stderr}` })
    })
  })
}

async function filesIn(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split(sep).includes('node_modules'))
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(folder, path), 'utf8')] as const)),
  )
}

async function readSettings(name: string): Promise<Settings> {
  return settingsSchema.parse(parse(await readFile(join(examples, name), 'utf8')))
}

function roundOf(unit: string, round: number): Round {
  const found = example.rounds.find((one) => one.unit === unit && one.round === round)
  if (found === undefined) throw new Error(`the session has no round ${round} of ${unit}`)
  return found
}
