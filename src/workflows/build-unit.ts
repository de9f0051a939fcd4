import { z } from 'zod'
import { checkpointMessage } from '../delegate/build/checkpoint-message.ts'
import { findingsPrompt, questionsPrompt, unitPrompt } from '../delegate/prompts.ts'
import { planText } from '../delegate/plan/plan-text.ts'
import { readAnswer } from '../delegate/read-answer.ts'
import { taskId, type CommitSha, type TreeSha } from '../domain/ids.ts'
import { answersSchema, type Answers } from '../domain/plan.ts'
import { paths, refs, type Settings } from '../domain/settings.ts'
import { nextUnit } from '../domain/task/decide.ts'
import { tipOf, type Building, type Round, type UnitProgress } from '../domain/task/task.ts'
import { judge, type GateResult } from '../domain/verdict.ts'
import type { Flow } from '../ports/flow.ts'
import type { Repository, WorkspaceProblem } from '../ports/repository.ts'
import { agentFor, type DeclaredAgent } from './agent-for.ts'
import { caught } from './caught.ts'
import { changedFiles } from './changed-files.ts'
import { requireSandbox, settingsAt, type Site } from './site.ts'
import { block, blockOnFault, taskOf, tell, type Stage } from './stage.ts'

type UnderWay = Extract<UnitProgress, { status: 'under-way' }>

/** Builds the next unit as a child of the delivery, so that only so many are built at once. */
export function buildNextUnit({ flow, id, version, turn }: Stage): Promise<void> {
  return flow.child('build-unit', {
    id: `${flow.id}/unit/${version}-${turn}`,
    queue: 'build',
    argument: JSON.stringify({ id, version }),
  })
}

const argumentSchema = z.strictObject({ id: z.string().transform(taskId), version: z.number().int() })

/**
 * One unit, round by round: the agent works, the host takes the tree, the gates judge it; findings go back to the agent
 * until they pass or its rounds are used up. The unit that follows never starts on one that was not verified.
 */
export async function buildUnit(flow: Flow, argument: string, site: Site): Promise<void> {
  const stage: Stage = { flow, site, turn: 1, during: ['building'], ...argumentSchema.parse(JSON.parse(argument)) }
  try {
    await rounds(stage)
  } finally {
    await site.conversations.close(`${stage.id}/build`)
  }
}

async function rounds(stage: Stage): Promise<void> {
  const { flow } = stage
  const { unit, pending, first, last } = await flow.step('begin', () => begin(stage))
  if (pending && !(await tell(stage, 'start-unit', { type: 'start-unit', unit }))) return

  for (let round = first; round <= last; round += 1) {
    const turn = await flow.step(`turn-${round}`, () => caught(() => workTurn(stage, round)))
    if (turn.kind === 'fault') return blockOnFault(stage, `building ${unit}`, turn.fault)
    const { tree, problems } = turn.value

    const judged = await flow.step(`gates-${round}`, () => caught(() => judgeTree(stage, tree, problems)))
    if (judged.kind === 'fault') return blockOnFault(stage, `the gates of ${unit}`, judged.fault)
    const { results, at } = judged.value
    if (!(await tell(stage, `judge-${round}`, { type: 'judge-round', unit, round, tree, results, problems }))) return

    const judgement = judge(results)
    if (judgement.kind === 'unavailable') {
      const [{ gate, cause }] = judgement.gates
      await block(stage, { kind: 'gate-unavailable', gate, cause })
      return
    }
    if (judgement.kind === 'passed') return checkpoint(stage, { round, tree, results, at })
    if (round === last) await block(stage, { kind: 'rounds-used-up', unit, findings: judgement.findings })
  }
}

interface Beginning {
  readonly unit: UnderWay['unit']['id']
  readonly pending: boolean
  readonly first: number
  readonly last: number
}

async function begin(stage: Stage): Promise<Beginning> {
  const task = await buildingOf(stage)
  const next = nextUnit(task)
  if (next === undefined) throw new Error(`${task.id} has no unit left to build`)
  const repository = await stage.site.open(task.hub)
  if ((await repository.head(refs.task(task.id))) !== tipOf(task)) await repository.fetch()
  const used = next.status === 'under-way' ? next.rounds.length : 0
  const allowance = next.status === 'under-way' ? next.allowance : task.rules.rounds
  return { unit: next.unit.id, pending: next.status === 'pending', first: used + 1, last: allowance }
}

interface Worked {
  readonly tree: TreeSha
  readonly problems: readonly WorkspaceProblem[]
}

/** One turn of the agent, begun from exactly what the last round left; git says what it did. */
async function workTurn(stage: Stage, round: number): Promise<Worked> {
  const { id, site } = stage
  const { task, progress, repository, settings, agent } = await scene(stage)
  const before = progress.rounds.at(-1)
  // Nothing to mend: a gate was away, or the checkpoint was not taken. The gates go again on what there is.
  if (before !== undefined && before.outcome !== 'failed') return { tree: before.tree, problems: before.problems ?? [] }

  const { workspace, home } = site.folders(id)
  const tip = tipOf(task)
  const plan = { [paths.plan]: planText(task.brief, task.plan, withDone(task, progress)) }
  const start = await openWhereItWas(repository, { workspace, tip, before, plan })
  const signal = site.signal(id)
  // An agent that spoiled its lockfile gets those of the checkpoint: mending it must not need it.
  const otherwise = await repository.treeOf(tip)
  const provided = { repository, tree: start, otherwise, settings, folder: workspace, signal }
  const { readable } = await site.provideDependencies(provided)
  const findings = before?.findings ?? []
  const request = {
    task: id,
    brief: task.brief,
    settings,
    unit: progress.unit,
    round,
    findings,
    guidance: progress.guidance,
  }
  const done = task.units.flatMap(({ unit, status }) => (status === 'checkpointed' ? [unit] : []))
  await site.conversations.turn({
    key: `${id}/build`,
    task: id,
    agent,
    workspace,
    home,
    settings,
    readOnly: false,
    readable,
    signal,
    fresh: unitPrompt({
      ...request,
      done,
    }),
    continued: findingsPrompt(id, progress.unit.id, round, findings),
  })
  const { tree, problems } = await repository.snapshot(workspace, tip)
  site.conversations.note(`${id}/build`, await changedFiles(repository, start, tree))
  return { tree: await repository.edit(tree, plan), problems }
}

interface Before {
  readonly workspace: string
  readonly tip: CommitSha
  readonly before: Round | undefined
  readonly plan: Readonly<Record<string, string>>
}

/**
 * A unit begins at the checkpoint before it. A later round goes on in what the last one left, as it lies there: what was
 * refused can then be put back with the agent's own git. Where that is gone or was touched, it is made again from the tree.
 * @returns the tree that the workspace holds
 */
async function openWhereItWas(repository: Repository, { workspace, tip, before, plan }: Before): Promise<TreeSha> {
  if (before === undefined) {
    await repository.openWorkspace(workspace, tip)
    return repository.treeOf(tip)
  }
  const left = await caught(() => repository.snapshot(workspace, tip))
  const isThere = left.kind === 'ok' && (await repository.edit(left.value.tree, plan)) === before.tree
  if (!isThere) await repository.openWorkspace(workspace, await parked(repository, before.tree, tip))
  return before.tree
}

/** The units as they will be once this one is closed: PLAN.md is part of the tree that is judged. */
const withDone = (task: Building, progress: UnderWay): readonly UnitProgress[] =>
  task.units.map((other) =>
    other.unit.id === progress.unit.id ? ({ ...other, status: 'checkpointed' } as UnitProgress) : other,
  )

/** A commit of a tree that is not a checkpoint, so that a workspace can be opened on it. Nothing points at it. */
function parked(repository: Repository, tree: TreeSha, parent: CommitSha): Promise<CommitSha> {
  const nobody = { name: 'Gaffer', email: 'gaffer@gaffer.invalid' }
  return repository.commit({
    tree,
    parents: [parent],
    message: 'parked\n',
    author: nobody,
    committer: nobody,
    at: '2000-01-01T00:00:00.000Z',
  })
}

async function judgeTree(
  stage: Stage,
  tree: TreeSha,
  problems: readonly WorkspaceProblem[],
): Promise<{ results: readonly GateResult[]; at: string }> {
  const { task, repository, settings } = await scene(stage)
  const { site, id } = stage
  const results = await site.judge({
    settings,
    level: 'unit',
    base: task.base,
    tree,
    brief: task.brief,
    problems,
    repository,
    signal: site.signal(id),
  })
  return { results, at: site.clock.now() }
}

interface Passed {
  readonly round: number
  readonly tree: TreeSha
  readonly results: readonly GateResult[]
  /** When the gates passed; dates the checkpoint, so that it is the same commit however often it is made. */
  readonly at: string
}

async function checkpoint(stage: Stage, passed: Passed): Promise<void> {
  const { flow } = stage
  const answers = await flow.step('questions', () => askQuestions(stage))
  const pushed = await flow.step('checkpoint', () => caught(() => pushCheckpoint(stage, passed)))
  if (pushed.kind === 'fault') return blockOnFault(stage, 'pushing a checkpoint', pushed.fault)
  const { outcome, commit, unit } = pushed.value
  if (outcome !== null) {
    await block(stage, { kind: 'hub-refused', message: outcome })
    return
  }
  const { tree, results } = passed
  await tell(stage, 'close-unit', { type: 'checkpoint', unit, commit, tree, results, answers })
}

/** Claims for the reviewer. An agent that cannot be asked leaves none; that stops nothing. */
async function askQuestions(stage: Stage): Promise<Answers | null> {
  const { id, site } = stage
  const { progress, settings, agent } = await scene(stage)
  const { workspace, home } = site.folders(id)
  const prompt = questionsPrompt(id, progress.unit)
  const turn = await caught(() =>
    site.conversations.turn({
      key: `${id}/build`,
      task: id,
      agent,
      workspace,
      home,
      settings,
      readOnly: false,
      readable: [],
      signal: site.signal(id),
      fresh: prompt,
      continued: prompt,
    }),
  )
  if (turn.kind === 'fault') return null
  const answer = readAnswer(turn.value.said, answersSchema)
  return answer.kind === 'read' ? answer.value : null
}

async function pushCheckpoint(
  stage: Stage,
  { round, tree, at }: Passed,
): Promise<{ outcome: string | null; commit: CommitSha; unit: UnderWay['unit']['id'] }> {
  const { task, progress, repository, agent } = await scene(stage)
  const tip = tipOf(task)
  const commit = await repository.commit({
    tree,
    parents: [tip],
    at,
    author: {
      name: `${agent.name} (agent)`,
      email: `agent+${agent.name}@gaffer.invalid`,
    },
    message: checkpointMessage({
      task,
      unit: progress.unit,
      agent,
      round,
    }),
    committer: {
      name: 'Gaffer',
      email: 'gaffer@gaffer.invalid',
    },
  })
  const pushed = await repository.push([{ ref: refs.task(task.id), from: tip === task.base ? null : tip, to: commit }])
  return { outcome: sayPushed(pushed), commit, unit: progress.unit.id }
}

function sayPushed(pushed: Awaited<ReturnType<Repository['push']>>): string | null {
  switch (pushed.kind) {
    case 'pushed':
      return null
    case 'moved':
      return `${pushed.ref} stands at ${pushed.actual ?? 'nothing'} on the hub, and not where Gaffer left it: put it back`
    case 'checked-out-dirty':
      return pushed.todo
    case 'refused':
      return pushed.message
  }
}

interface Scene {
  readonly task: Building
  readonly progress: UnderWay
  readonly repository: Repository
  readonly settings: Settings
  readonly agent: DeclaredAgent
}

async function scene(stage: Stage): Promise<Scene> {
  const task = await buildingOf(stage)
  const progress = nextUnit(task)
  if (progress?.status !== 'under-way') throw new Error(`${task.id} has no unit under way`)
  const repository = await stage.site.open(task.hub)
  const settings = await settingsAt(repository, task.base)
  requireSandbox(settings, stage.site.protection)
  return { task, progress, repository, settings, agent: agentFor(task, settings, stage.site.environment) }
}

async function buildingOf(stage: Stage): Promise<Building> {
  const task = await taskOf(stage)
  if (task.state !== 'building') throw new Error(`${task.id} is ${task.state}, and was to be built`)
  return task
}
