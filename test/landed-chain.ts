import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createRepositories } from '../src/adapters/git/repositories.ts'
import { briefSchema, digestOfBrief, type Brief } from '../src/domain/brief.ts'
import { commitSha, email, taskId, treeSha, unitId, type CommitSha, type Email } from '../src/domain/ids.ts'
import { requiredGates } from '../src/domain/required-gates.ts'
import { readSettings } from '../src/domain/read-settings.ts'
import { paths, refs } from '../src/domain/settings.ts'
import type { CheckpointedUnit, Reviewing, Signed } from '../src/domain/task/task.ts'
import { passed, type GateResult } from '../src/domain/verdict.ts'
import { composeCandidate, composeTree, type Composed } from '../src/own/candidate.ts'
import { loadInstanceKey, type InstanceKey } from '../src/own/instance-key.ts'
import { composeLanding, prepareLanding, type ComposedLanding, type PreparedLanding } from '../src/own/landing.ts'
import { pushLanding, type LandingPushed } from '../src/own/push-landing.ts'
import { signWithKey } from '../src/own/sign-off.ts'
import type { Repositories, Repository } from '../src/ports/repository.ts'
import {
  makeBareHub,
  makeRepository,
  temporaryFolder,
  type TemporaryFolder,
  type TestRepository,
} from './repositories.ts'

/**
 * Builds what verification is about: a hub with an adopted repository, people with SSH keys, and tasks that land there
 * on the real way, with real git and real ssh-keygen.
 */
const run = promisify(execFile)
const sha = (digit: string): string => digit.repeat(40)

export const at = '2026-03-01T10:00:00.000Z'
export const people = {
  alice: email('alice@example.com'), // owns what lands
  bob: email('bob@example.com'), // may sign, and owns nothing
  eve: email('eve@example.com'), // nobody allowed her anything
} as const
export type PersonName = keyof typeof people

export const gaffer = `version: 1
gates:
  tests: { command: npm test }
  lint: { command: npm run lint, at: final }
  quick: { command: npm run quick, at: unit }
`

export const briefOf = (more: Partial<Brief> = {}): Brief =>
  briefSchema.parse({
    title: 'Read one order',
    type: 'feat',
    owner: people.alice,
    feature: 'orders',
    agent: null,
    scope: [],
    budget: { costUsd: null, tokens: null },
    outcome: 'Customers see an order.',
    context: '',
    acceptance: [{ id: 'A1', text: 'an order is answered', line: 9, test: 'order.test.ts' }],
    failureModes: [],
    never: [],
    exemplars: [],
    ...more,
  })

const unitOf = (id: string, title: string, commit: CommitSha): CheckpointedUnit => ({
  status: 'checkpointed',
  unit: { id: unitId(id), title, goal: title, acceptance: ['A1'], files: [], revises: null },
  rounds: [{ number: 1, tree: treeSha(sha('7')), outcome: 'passed', findings: [] }],
  checkpoint: {
    commit,
    tree: treeSha(sha('7')),
    results: [],
    answers: { why: 'short', scale: 'little', rules: 'kept' },
  },
})

/** A task whose units are all built and none reviewed. */
export function taskReviewing(
  brief: Partial<Brief> = {},
  more: Partial<Reviewing> & { tip?: CommitSha } = {},
): Reviewing {
  const { tip = commitSha(sha('2')), ...rest } = more
  const whole = briefOf(brief)
  return {
    state: 'reviewing',
    id: taskId('read-one-order-7k2'),
    brief: whole,
    briefDigest: digestOfBrief(whole),
    hub: '/nowhere',
    branch: 'main',
    base: commitSha(sha('1')),
    agent: 'replay',
    delegatedBy: { kind: 'person', email: people.alice },
    rules: { planApproval: false, unitReview: false, rounds: 3 },
    plan: { summary: 'two steps', units: [] },
    units: [unitOf('first', 'First', commitSha(sha('3'))), unitOf('second', 'Second', tip)],
    reviews: {},
    candidate: null,
    ...rest,
  }
}

export interface Team extends AsyncDisposable {
  readonly place: TemporaryFolder
  readonly hub: TestRepository
  readonly repositories: Repositories
  readonly repository: Repository
  readonly key: InstanceKey
  readonly keyFile: (person: PersonName) => string
  /** The commit in which Gaffer was adopted. */
  readonly adopted: CommitSha
}

export interface TeamOptions {
  readonly gaffer?: string
  readonly files?: Readonly<Record<string, string>>
  readonly objectFormat?: 'sha1' | 'sha256'
}

export async function makeTeam(options: TeamOptions = {}): Promise<Team> {
  const place = await temporaryFolder('gaffer-chain-')
  const keyFile = (person: PersonName): string => join(place.path, `${person}.key`)
  await Promise.all(
    (Object.keys(people) as PersonName[]).map((name) =>
      run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', keyFile(name)]),
    ),
  )
  const key = await loadInstanceKey(join(place.path, 'data'))
  const team = await makeRepository({
    folder: join(place.path, 'team'),
    files: { 'a.txt': 'one\n', 'z.txt': 'last\n' },
  })
  const publicKey = async (name: PersonName): Promise<string> => (await readFile(`${keyFile(name)}.pub`, 'utf8')).trim()
  const adopted = await team.commit({
    [paths.settings]: options.gaffer ?? gaffer,
    [paths.allowedSigners]: `${people.alice} ${await publicKey('alice')}\n${people.bob} ${await publicKey('bob')}\n`,
    [paths.evidenceKeys]: key.publicPem,
    ...options.files,
  })
  const hub = await makeBareHub({ folder: join(place.path, 'hub.git'), from: team })
  const repositories = createRepositories({ folder: join(place.path, 'stores') })
  const repository = await repositories.open(hub.folder)
  return {
    place,
    hub,
    repositories,
    repository,
    key,
    keyFile,
    adopted,
    async [Symbol.asyncDispose]() {
      await repository.close()
      await place.remove()
    },
  }
}

/** The hub as it was right after adoption; what was made since is out of sight. */
export async function resetTeam({ hub, adopted }: Team): Promise<void> {
  const names = await hub.git('for-each-ref', '--format=%(refname)')
  const gone = names.split('\n').filter((name) => name !== '' && name !== 'refs/heads/main')
  await Promise.all(gone.map((name) => hub.git('update-ref', '-d', name)))
  await hub.git('symbolic-ref', 'HEAD', 'refs/heads/main')
  await hub.git('update-ref', 'refs/heads/main', adopted)
}

export interface WorkOptions {
  readonly id?: string
  readonly files?: Readonly<Record<string, string | null>>
  readonly brief?: Partial<Brief>
}

/** An agent's branch of two checkpoints on the hub, with its plan, and the task that it belongs to. */
export async function buildTask({ repository, hub }: Team, options: WorkOptions = {}): Promise<Reviewing> {
  const id = taskId(options.id ?? 'read-one-order-7k2')
  await repository.fetch()
  const base = await mainOf(repository)
  const person = { name: 'agent', email: 'agent@gaffer.invalid' }
  const checkpoint = async (parent: CommitSha, files: Readonly<Record<string, string | null>>): Promise<CommitSha> =>
    repository.commit({
      tree: await repository.edit(await repository.treeOf(parent), files),
      parents: [parent],
      message: `checkpoint of ${id}`,
      author: person,
      committer: person,
      at,
    })
  const first = await checkpoint(base, { [paths.plan]: `# Plan of ${id}\n`, [`${id}.ts`]: 'export const a = 1\n' })
  const tip = await checkpoint(first, options.files ?? { [`${id}.ts`]: 'export const a = 2\n' })
  const pushed = await repository.push([{ ref: refs.task(id), from: null, to: tip }])
  if (pushed.kind !== 'pushed') throw new Error(`the task branch was not pushed: ${pushed.kind}`)
  const units = [unitOf('first', 'First', first), unitOf('second', 'Second', tip)]
  return taskReviewing(options.brief, { id, base, hub: hub.folder, units })
}

export async function mainOf(repository: Repository): Promise<CommitSha> {
  const main = await repository.head('refs/heads/main')
  if (main === undefined) throw new Error('the hub has no main')
  return main
}

/** What every final gate of a commit's settings says when all is well. */
export async function allPassed(repository: Repository, base: CommitSha): Promise<readonly GateResult[]> {
  const settings = readSettings(await repository.read(base, paths.settings))
  return requiredGates(settings, 'final').map(({ name }) => ({
    gate: name,
    verdict: passed(name === 'tests' ? { tests: 12 } : {}),
    durationMs: 5,
    cached: false,
  }))
}

export interface SignedWork {
  readonly task: Signed
  readonly composed: Composed
  readonly results: readonly GateResult[]
}

export async function signTask(team: Team, task: Reviewing, signer: PersonName = 'alice'): Promise<SignedWork> {
  const { repository, key, keyFile } = team
  const whole = await composeTree(repository, task)
  if (whole.kind === 'conflict') throw new Error(`conflict in ${whole.paths.join(', ')}`)
  const results = await allPassed(repository, whole.base)
  const composed = await composeCandidate(repository, { task, ...whole, results, at, key })
  if (composed.kind === 'refused') throw new Error(composed.why)
  const armoured = await signWithKey({
    keyFile: keyFile(signer),
    statement: composed.candidate.statement,
    interactive: false,
    env: {},
  })
  const by: Email = task.brief.owner
  return {
    task: { ...task, state: 'signed', candidate: composed.candidate, signature: { by, armoured } },
    composed,
    results,
  }
}

export interface Landed extends SignedWork {
  readonly plan: Extract<ComposedLanding, { kind: 'direct' | 'merged' }>
  readonly prepared: PreparedLanding
  readonly commit: CommitSha
}

export async function prepareSigned(team: Team, signed: SignedWork): Promise<Omit<Landed, 'commit'>> {
  const { repository, key } = team
  const plan = await composeLanding(repository, signed.task)
  if (plan.kind !== 'direct' && plan.kind !== 'merged') throw new Error(`cannot land: ${plan.kind}`)
  const results = plan.kind === 'direct' ? signed.results : await allPassed(repository, plan.attempt.base)
  const prepared = await prepareLanding(repository, {
    task: signed.task,
    composed: plan,
    envelopes: signed.composed.envelopes,
    results,
    at,
    key,
  })
  if (prepared.kind === 'refused') throw new Error(prepared.why)
  return { ...signed, plan, prepared }
}

export async function landSigned(team: Team, signed: SignedWork): Promise<Landed> {
  const ready = await prepareSigned(team, signed)
  const pushed: LandingPushed = await pushLanding(team.repository, ready.prepared)
  if (pushed.kind !== 'landed') throw new Error(`did not land: ${JSON.stringify(pushed)}`)
  return { ...ready, commit: pushed.commit }
}

/** A task from its branch to main. */
export const landTask = async (team: Team, options: WorkOptions = {}): Promise<Landed> =>
  landSigned(team, await signTask(team, await buildTask(team, options)))

/** Somebody's commit straight onto main, outside the chain. */
export async function pushByHand(
  { repository, hub }: Team,
  files: Readonly<Record<string, string | null>>,
  message = 'chore: by hand',
): Promise<CommitSha> {
  await repository.fetch()
  const base = await mainOf(repository)
  const person = { name: 'Somebody', email: 'somebody@example.com' }
  const tree = await repository.edit(await repository.treeOf(base), files)
  const commit = await repository.commit({ tree, parents: [base], message, author: person, committer: person, at })
  const pushed = await repository.push([{ ref: 'refs/heads/main', from: base, to: commit }])
  if (pushed.kind !== 'pushed') throw new Error(`${hub.folder}: ${pushed.kind}`)
  return commit
}
