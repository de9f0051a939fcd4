import { email, taskId, unitId, type CommitSha, type Digest, type TreeSha } from '../src/domain/ids.ts'
import type { Brief } from '../src/domain/brief.ts'
import { digestOfBrief } from '../src/domain/brief.ts'
import type { Plan, Unit } from '../src/domain/plan.ts'
import type { TaskCommand, TaskCommandOf } from '../src/domain/task/command.ts'
import type { Candidate } from '../src/domain/task/task.ts'
import { passed, type Finding, type GateResult } from '../src/domain/verdict.ts'

/** Builders of valid domain values; tests say only what matters to them. */
export const owner = email('owner@example.com')
export const anOwner = { kind: 'person', email: owner } as const
export const somebody = { kind: 'person', email: email('colleague@example.com') } as const
export const anAgent = { kind: 'agent', name: 'replay', model: null } as const
export const theSystem = { kind: 'system', part: 'test' } as const

export const commitOf = (seed: string): CommitSha => hex(`c${seed}`) as CommitSha
export const treeOf = (seed: string): TreeSha => hex(`d${seed}`) as TreeSha
const hex = (seed: string): string => Buffer.from(seed).toString('hex').padEnd(40, '0').slice(0, 40)

export const aBrief = (changes: Partial<Brief> = {}): Brief => ({
  title: 'Orders can be fetched one by one',
  type: 'feat',
  owner,
  feature: 'orders',
  agent: null,
  scope: [],
  budget: { costUsd: null, tokens: null },
  outcome: 'GET /orders/:id answers with the order.',
  context: '',
  acceptance: [{ id: 'A1', text: 'answers 404 for an unknown id', line: 12, test: 'test/orders.test.ts > unknown id' }],
  failureModes: [],
  never: [],
  exemplars: [],
  ...changes,
})

export const aUnit = (id: string, changes: Partial<Unit> = {}): Unit => ({
  id: unitId(id),
  title: `Unit ${id}`,
  goal: `Build ${id}.`,
  acceptance: ['A1'],
  files: [],
  revises: null,
  ...changes,
})
export const aPlan = (...ids: readonly string[]): Plan => ({
  summary: 'As the brief says.',
  units: ids.map((id) => aUnit(id)),
})

export const aFinding = (changes: Partial<Finding> = {}): Finding => ({
  gate: 'tests',
  rule: 'test-failed',
  level: 'error',
  message: 'unknown id fails',
  place: null,
  mend: null,
  ...changes,
})
export const passing = (gate = 'tests'): GateResult => ({ gate, verdict: passed(), durationMs: 1, cached: false })
export const failing = (gate = 'tests'): GateResult => ({
  gate,
  durationMs: 1,
  cached: false,
  verdict: {
    kind: 'failed',
    findings: [aFinding({ gate })],
    measures: {},
  },
})
export const away = (gate = 'tests'): GateResult => ({
  gate,
  durationMs: 1,
  cached: false,
  verdict: {
    kind: 'unavailable',
    cause: {
      code: 'command-missing',
      message: 'is not there',
      hint: 'install it',
      retryable: false,
    },
  },
})

export const aDraft = (changes: Partial<TaskCommandOf<'draft'>> = {}): TaskCommandOf<'draft'> => ({
  type: 'draft',
  id: taskId('orders-fetched-7k2'),
  brief: aBrief(),
  briefDigest: digestOfBrief(aBrief()),
  hub: '/repositories/orders',
  branch: 'main',
  base: commitOf('base'),
  agent: 'replay',
  rules: { planApproval: true, unitReview: true, rounds: 3 },
  actor: somebody,
  ...changes,
})

export const aCandidate = (seed = 'candidate'): Candidate => ({
  commit: commitOf(seed),
  tree: treeOf(seed),
  base: commitOf('base'),
  evidence: [{ gate: 'tests', digest: `sha256:${'a'.repeat(64)}` as Digest }],
  statement: '{}',
})

/** The commands of a delivery with nothing in its way, in order. */
export function aDelivery(units: readonly string[] = ['store', 'route']): readonly TaskCommand[] {
  const building = units.flatMap((id): TaskCommand[] => [
    { type: 'start-unit', unit: unitId(id), actor: theSystem },
    { type: 'judge-round', unit: unitId(id), round: 1, tree: treeOf(id), results: [passing()], actor: theSystem },
    {
      type: 'checkpoint',
      unit: unitId(id),
      commit: commitOf(id),
      tree: treeOf(id),
      results: [passing()],
      answers: null,
      actor: theSystem,
    },
  ])
  const candidate = aCandidate()
  const attempt = { commit: candidate.commit, tree: candidate.tree, base: candidate.base }
  return [
    aDraft(),
    { type: 'propose-plan', plan: aPlan(...units), actor: anAgent },
    { type: 'approve-plan', actor: anOwner },
    ...building,
    ...units.map((id): TaskCommand => ({ type: 'accept-unit', unit: unitId(id), actor: somebody })),
    { type: 'prepare-candidate', candidate, actor: theSystem },
    { type: 'sign', candidate: candidate.commit, armoured: '-----BEGIN SSH SIGNATURE-----', actor: anOwner },
    { type: 'start-landing', attempt, actor: theSystem },
    { type: 'finish-landing', commit: candidate.commit, actor: theSystem },
  ]
}
