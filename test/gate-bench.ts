import { join } from 'node:path'
import { cleanRooms } from '../src/adapters/clean-room/clean-rooms.ts'
import { unconfinedSandbox } from '../src/adapters/unconfined/unconfined-sandbox.ts'
import { briefSchema, type Brief } from '../src/domain/brief.ts'
import { settingsSchema, type Settings } from '../src/domain/settings.ts'
import type { Finding, Verdict } from '../src/domain/verdict.ts'
import type { Gate, Judged, VerdictCache } from '../src/ports/gate.ts'
import { memoryRepository, type MemoryFiles } from './fakes/memory-repository.ts'
import { temporaryFolder } from './repositories.ts'

export interface Change {
  readonly base?: MemoryFiles
  readonly tree?: MemoryFiles
  readonly options?: Readonly<Record<string, unknown>>
  readonly settings?: Partial<Settings>
  readonly brief?: Brief | null
  readonly level?: Judged['level']
  readonly problems?: Judged['problems']
  readonly baseline?: Judged['baseline']
}

/** Lets a gate judge a change between two trees in memory; its commands run for real, on this machine. */
export async function judgeChange(gate: Gate, change: Change): Promise<Verdict> {
  await using place = await temporaryFolder()
  const judged = await judgedChange(gate, change, place.path)
  return await gate.run(judged)
}

export async function judgedChange(gate: Pick<Gate, 'name'>, change: Change, folder = '/nowhere'): Promise<Judged> {
  const { base = {}, tree = base, options = {}, level = 'unit', brief = null, problems = [], baseline = null } = change
  const repository = memoryRepository()
  const [before, after] = [repository.add(base), repository.add(tree)]
  const settings = { ...someSettings(), ...change.settings }
  const rooms = cleanRooms({
    folder: join(folder, 'rooms'),
    sandbox: unconfinedSandbox(),
    dependencies: { provide: async () => ({ readable: [] }) },
  })
  return {
    name: gate.name,
    options: { at: 'both', ...options },
    settings,
    level,
    base: before.commit,
    baseTree: before.tree,
    tree: after.tree,
    changes: await repository.changes(before.tree, after.tree),
    brief,
    problems,
    repository,
    baseline,
    room: async () => (await rooms.open({ repository, tree: after.tree, settings })).room(),
  }
}

export const someSettings = (more: Partial<Settings> = {}): Settings => ({
  ...settingsSchema.parse({ version: 1, gates: { check: { gate: 'command', run: 'true' } } }),
  ...more,
})

export const someBrief = (more: Partial<Brief> = {}): Brief =>
  briefSchema.parse({
    title: 'Orders can be read',
    type: 'feat',
    owner: 'owner@example.com',
    feature: null,
    agent: null,
    scope: [],
    budget: { costUsd: null, tokens: null },
    outcome: 'An order can be read.',
    context: '',
    acceptance: [{ text: 'reads an order', line: 1, id: 'A1', test: null }],
    failureModes: [],
    never: [],
    exemplars: [],
    ...more,
  })

/** What a verdict says, short enough to compare: the rule and place of each finding, or its kind. */
export const said = (verdict: Verdict): readonly string[] =>
  verdict.kind === 'failed' ? verdict.findings.map(sayFinding) : [verdict.kind]
const sayFinding = ({ rule, place }: Finding): string =>
  place === null ? rule : `${rule} ${place.path}${place.line === null ? '' : `:${place.line}`}`

export const memoryVerdicts = (): VerdictCache & { readonly kept: Map<string, Verdict> } => {
  const kept = new Map<string, Verdict>()
  return {
    kept,
    get: async (key) => kept.get(key),
    put: async (key, verdict) => void kept.set(key, verdict),
  }
}
