import { createHash, generateKeyPairSync } from 'node:crypto'
import { person, system, type Actor } from '../../src/domain/actor.ts'
import { digestOfBrief, type Brief } from '../../src/domain/brief.ts'
import { refuse } from '../../src/domain/fault.ts'
import { commitSha, email, nameTask, treeSha, unitId, type TaskId } from '../../src/domain/ids.ts'
import { canonicalJson, digestOf, digestOfJson, type Json } from '../../src/domain/json.ts'
import { predicateTypes, statementType } from '../../src/domain/evidence.ts'
import type { Plan } from '../../src/domain/plan.ts'
import type { TaskCommand } from '../../src/domain/task/command.ts'
import { unitsOf, unitsToReview, type Candidate, type Task, type TaskState } from '../../src/domain/task/task.ts'
import { passed, verdictOf, type Finding, type GateResult } from '../../src/domain/verdict.ts'
import { checkBrief } from '../../src/delegate/brief/check-brief.ts'
import { readBrief } from '../../src/delegate/brief/read-brief.ts'
import type { StoredEvent } from '../../src/ports/store.ts'
import type { Gaffer, Outcome, TaskRow, TaskView } from '../../src/workflows/gaffer.ts'
import { createTasks, taskStream } from '../../src/workflows/tasks.ts'
import { waitsFor } from '../../src/workflows/waits-for.ts'
import { memoryEventStore } from './memory-event-store.ts'

/**
 * A Gaffer in memory over the real life of a task: nothing is built and nothing lands, but every command is decided
 * and every event is stored as it would be. `move` plays Gaffer's own part, one step at a time.
 */
export interface MemoryGaffer extends Gaffer {
  /** Applies any command, as the workflow would. */
  apply(id: TaskId, command: TaskCommand): Promise<Outcome>
  /** Goes on by itself until a person is needed or it is over. The first unit is caught once. */
  move(id: TaskId): Promise<void>
  /** Instead of the patches it makes up. */
  readonly patches: Map<string, string>
  readonly transcripts: Map<string, readonly Json[]>
  /** Tasks that `move` is run on after every person's command. */
  readonly selfMoving: Set<TaskId>
}

export interface MemoryGafferOptions {
  readonly planApproval?: boolean
  readonly units?: number
  /** Whether a delegated task goes on by itself. */
  readonly moves?: boolean
}

const hex = (text: string): string => createHash('sha1').update(text).digest('hex')
const gaffer = system('workflow')

export function memoryGaffer({
  planApproval = false,
  units = 2,
  moves = false,
}: MemoryGafferOptions = {}): MemoryGaffer {
  const waiting = new Set<() => void>()
  const store = memoryEventStore(() => {
    for (const wake of waiting) wake()
  })
  let minutes = 0
  const now = (): string => new Date(Date.UTC(2026, 10, 2, 9, minutes++)).toISOString()
  const tasks = createTasks(store, { now, randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)) })
  const keys = new Map<string, { task: TaskId }>()
  const patches = new Map<string, string>()
  const transcripts = new Map<string, readonly Json[]>()
  const selfMoving = new Set<TaskId>()

  const apply = (id: TaskId, command: TaskCommand): Promise<Outcome> => tasks.apply(id, command, crypto.randomUUID())
  const byPerson = async (id: TaskId, command: TaskCommand): Promise<Outcome> => {
    const outcome = await apply(id, command)
    if (outcome.kind === 'done' && selfMoving.has(id)) await move(id)
    return outcome
  }

  async function view(id: TaskId): Promise<TaskView | undefined> {
    const found = await tasks.get(id)
    if (found === undefined) return undefined
    const { task, version } = found
    const events = await store.read(taskStream(id))
    const progress = unitsOf(task)
    const row: TaskRow = {
      id,
      title: task.brief.title,
      state: task.state,
      owner: task.brief.owner,
      agent: task.agent,
      unitsDone: progress.filter(({ status }) => status === 'checkpointed').length,
      unitsTotal: progress.length,
      waitsFor: waitsFor(task),
      openedAt: events[0]?.at ?? '',
      changedAt: events.at(-1)?.at ?? '',
    }
    return { row, task, version }
  }

  async function move(id: TaskId): Promise<void> {
    for (let step = 0; step < 200; step += 1) {
      const found = await tasks.get(id)
      if (found === undefined) return
      const command = nextCommand(found.task, units)
      if (command === undefined) return
      await apply(id, command)
    }
  }

  return {
    apply,
    move,
    patches,
    transcripts,
    selfMoving,
    async delegate({ brief: text, hub, agent, owner, actor, key }) {
      const known = keys.get(key)
      if (known !== undefined) return { kind: 'opened', task: known.task, problems: [] }
      const read = readBrief(text)
      if (read.kind === 'unreadable') return { kind: 'brief-refused', problems: read.problems }
      const brief: Brief = owner === null ? read.brief : { ...read.brief, owner }
      const chosen = agent ?? brief.agent ?? 'replay'
      if (chosen === 'unknown') return refuse('delegate', 'there is no agent unknown', 'name one of replay')
      const id = nameTask(brief.title, crypto.getRandomValues(new Uint8Array(3)))
      await apply(id, {
        type: 'draft',
        actor,
        id,
        brief,
        briefDigest: digestOfBrief(brief),
        hub,
        branch: 'main',
        base: commitSha(hex('base')),
        agent: chosen,
        rules: { planApproval, unitReview: true, rounds: 3 },
      })
      keys.set(key, { task: id })
      if (moves) {
        selfMoving.add(id)
        await move(id)
      }
      return { kind: 'opened', task: id, problems: [...read.problems, ...checkBrief(brief, text)] }
    },
    async tasks({ state, after, limit }) {
      const names = await store.streams('task/')
      const views = await Promise.all(names.map((name) => view(name.slice('task/'.length) as TaskId)))
      const rows = views.flatMap((found) => (found === undefined ? [] : [found.row]))
      const sorted = rows.toSorted((a, b) => (a.changedAt < b.changedAt ? 1 : -1))
      const chosen = sorted.filter((row) => state === null || row.state === state)
      const from = after === null ? 0 : chosen.findIndex((row) => row.id === after) + 1
      const page = chosen.slice(from, from + limit)
      const counts = Object.fromEntries(
        taskStates.map((name) => [name, rows.filter((row) => row.state === name).length]),
      )
      const next = from + limit < chosen.length ? (page.at(-1)?.id ?? null) : null
      return { rows: page, next, counts: counts as Record<TaskState, number> }
    },
    task: view,
    log: (id, after) => store.read(taskStream(id), after),
    async sessions(id) {
      return [...transcripts.keys()].filter((name) => name.startsWith(`session/${id}/`))
    },
    async transcript(session) {
      return (transcripts.get(session) ?? []).map((event, index): StoredEvent => ({
        position: index + 1,
        stream: session,
        version: index + 1,
        event,
        actor: { kind: 'agent', name: 'replay', model: null },
        commandId: `${session}-${index}`,
        at: '2026-11-02T09:00:00.000Z',
        hash: digestOf(String(index)),
      }))
    },
    async *follow(id, after, signal) {
      let seen = after ?? store.all.at(-1)?.position ?? 0
      while (!signal.aborted) {
        const fresh = store.all.filter(
          ({ position, stream }) => position > seen && (id === null || stream === taskStream(id)),
        )
        for (const stored of fresh) {
          seen = stored.position
          yield stored
        }
        if (store.all.some(({ position, stream }) => position > seen && (id === null || stream === taskStream(id))))
          continue
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake)
            signal.removeEventListener('abort', wake)
            resolve()
          }
          waiting.add(wake)
          signal.addEventListener('abort', wake)
        })
      }
    },
    approvePlan: (id, actor) => byPerson(id, { type: 'approve-plan', actor }),
    sendPlanBack: (id, note, actor) => byPerson(id, { type: 'send-plan-back', note, actor }),
    async acceptUnit(id, unit, actor) {
      if (unit !== null) return byPerson(id, { type: 'accept-unit', unit, actor })
      const found = await tasks.get(id)
      if (found?.task.state !== 'reviewing') return apply(id, { type: 'accept-unit', unit: unitId('none'), actor })
      let outcome: Outcome = { kind: 'done', task: found.task }
      for (const progress of unitsToReview(found.task))
        outcome = await byPerson(id, { type: 'accept-unit', unit: progress.unit.id, actor })
      return outcome
    },
    requestChanges: (id, unit, reason, actor) => byPerson(id, { type: 'request-changes', unit, reason, actor }),
    sign: (id, { candidate, armoured }, actor) => byPerson(id, { type: 'sign', candidate, armoured, actor }),
    answer: (id, text, actor) => byPerson(id, { type: 'unblock', guidance: text, actor }),
    async land(id, actor: Actor) {
      const found = await tasks.get(id)
      if (found?.task.state === 'signed' || found?.task.state === 'landing') {
        await move(id)
        return { kind: 'done', task: (await tasks.get(id))?.task ?? found.task }
      }
      return apply(id, { type: 'finish-landing', commit: commitSha(hex('none')), actor })
    },
    abandon: (id, because, actor) => byPerson(id, { type: 'abandon', because, actor }),
    async patch(id, unit) {
      const found = await tasks.get(id)
      if (found === undefined || unitsOf(found.task).every(({ status }) => status !== 'checkpointed')) return undefined
      return patches.get(unit ?? 'whole') ?? examplePatch(unit ?? 'whole')
    },
  }
}

const taskStates: readonly TaskState[] = [
  'drafted',
  'planned',
  'building',
  'reviewing',
  'signed',
  'landing',
  'landed',
  'blocked',
  'abandoned',
]

const examplePatch = (name: string): string =>
  `diff --git a/src/${name}.ts b/src/${name}.ts\n--- a/src/${name}.ts\n+++ b/src/${name}.ts\n@@ -1,2 +1,3 @@\n export const kept = 1\n-export const old = 2\n+export const fresh = 2\n+export const more = 3\n`

/** What Gaffer itself does next, made up; undefined when a person is needed or it is over. */
function nextCommand(task: Task, units: number): TaskCommand | undefined {
  const actor = gaffer
  switch (task.state) {
    case 'drafted':
      return { type: 'propose-plan', actor, plan: examplePlan(units) }
    case 'building': {
      const next = task.units.find(({ status }) => status !== 'checkpointed')
      if (next === undefined) return undefined
      const unit = next.unit.id
      const tree = treeSha(hex(`${unit} tree`))
      if (next.status === 'pending') return { type: 'start-unit', actor, unit }
      if (next.status !== 'under-way') return undefined
      const last = next.rounds.at(-1)
      const results = resultsOf(next.rounds.length === 0 && unit === 'step-1')
      if (last?.outcome !== 'passed')
        return { type: 'judge-round', actor, unit, round: next.rounds.length + 1, tree, results }
      const answers = { why: 'One query beside the others.', scale: 'One indexed read.', rules: 'No new dependency.' }
      return { type: 'checkpoint', actor, unit, commit: commitSha(hex(unit)), tree, results, answers }
    }
    case 'reviewing':
      if (unitsToReview(task).length > 0 || task.candidate !== null) return undefined
      return { type: 'prepare-candidate', actor, candidate: exampleCandidate(task) }
    case 'signed':
      return {
        type: 'start-landing',
        actor,
        attempt: { commit: task.candidate.commit, tree: task.candidate.tree, base: task.candidate.base },
      }
    case 'landing':
      return { type: 'finish-landing', actor, commit: task.attempt.commit }
    case 'planned':
    case 'landed':
    case 'blocked':
    case 'abandoned':
      return undefined
  }
}

const resultsOf = (caught: boolean): readonly GateResult[] => [
  { gate: 'tests', verdict: passed({ tests: 12 }), durationMs: 40, cached: false },
  { gate: 'contracts', verdict: verdictOf(caught ? [contractChanged] : []), durationMs: 4, cached: false },
]

const contractChanged: Finding = {
  gate: 'contracts',
  rule: 'contract-changed',
  level: 'error',
  message: 'test/contract/orders.test.ts was changed',
  place: { path: 'test/contract/orders.test.ts', line: null },
  mend: 'put it back',
}

export const examplePlan = (units: number): Plan => ({
  summary: 'Build it in small steps.',
  units: Array.from({ length: units }, (_, index) => ({
    id: unitId(`step-${index + 1}`),
    title: `Step ${index + 1}`,
    goal: 'Do one thing.',
    acceptance: ['A1'],
    files: ['src/orders.ts'],
    revises: null,
  })),
})

function exampleCandidate(task: Task): Candidate {
  const [commit, tree] = [commitSha(hex(`${task.id} candidate`)), treeSha(hex(`${task.id} whole`))]
  const evidence = ['contracts', 'tests'].map((gate) => ({ gate, digest: digestOf(gate), verdict: 'passed' as const }))
  const statement = canonicalJson({
    _type: statementType,
    subject: [{ name: 'candidate', digest: { gitCommit: commit, gitTree: tree } }],
    predicateType: predicateTypes.signOff,
    predicate: {
      task: task.id,
      title: task.brief.title,
      owner: task.brief.owner,
      base: task.base,
      candidate: commit,
      tree,
      brief: task.briefDigest,
      policy: digestOfJson({}),
      evidence: evidence.map(({ gate, digest }) => ({ gate, digest })),
    },
  })
  return { commit, tree, base: task.base, evidence, statement }
}

export const exampleBrief = (title = 'Orders endpoint', owner = 'maria@example.com'): string => `---
title: ${title}
owner: ${owner}
scope: [src/**]
---

## Outcome

A customer can read an order.

## Acceptance

- A known order is answered with 200 (test: test/orders.test.ts)

## Failure modes

- A malformed id is answered with 400

## Never

- dependency: *
`

export const maria = person(email('maria@example.com'))
/** A PEM public key, for tests that need one. */
export const examplePem = (): string =>
  generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()
