import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  aCandidate,
  aDelivery,
  aDraft,
  anAgent,
  anOwner,
  aPlan,
  away,
  commitOf,
  failing,
  passing,
  somebody,
  theSystem,
  treeOf,
} from '../../../test/tasks.ts'
import { unitId } from '../ids.ts'
import { judge } from '../verdict.ts'
import type { TaskCommand } from './command.ts'
import { decide } from './decide.ts'
import { taskEventSchema, type TaskEvent } from './event.ts'
import { evolve, replay } from './evolve.ts'
import { isFinished, unitsOf, unitsToReview, workOf, type Task } from './task.ts'

const follow = (commands: readonly TaskCommand[]): { task: Task | undefined; events: TaskEvent[] } => {
  let task: Task | undefined
  const events: TaskEvent[] = []
  for (const command of commands) {
    const decision = decide(task, command)
    if (decision.kind === 'refused') continue
    for (const event of decision.events) task = evolve(task, event)
    events.push(...decision.events)
  }
  return { task, events }
}
const upTo = (type: TaskCommand['type'], commands = aDelivery()): Task => {
  const { task } = follow(
    commands.slice(
      0,
      commands.findIndex((command) => command.type === type),
    ),
  )
  if (task === undefined) throw new Error('no task')
  return task
}

describe('the life of a task', () => {
  test('a delivery with nothing in its way lands', () => {
    expect(follow(aDelivery()).task?.state).toBe('landed')
  })

  test('a plan that needs no approval goes straight to building', () => {
    const { task } = follow([
      aDraft({ rules: { planApproval: false, unitReview: true, rounds: 3 } }),
      { type: 'propose-plan', plan: aPlan('store'), actor: anAgent },
    ])
    expect(task?.state).toBe('building')
  })

  test('a checkpoint is never committed while a gate is unavailable (I2)', () => {
    const building = upTo('judge-round')
    const judged = decide(building, {
      type: 'judge-round',
      unit: unitId('store'),
      round: 1,
      tree: treeOf('x'),
      results: [passing(), away('lint')],
      actor: theSystem,
    })
    if (judged.kind === 'refused') throw new Error(judged.why)
    const after = judged.events.reduce<Task | undefined>(evolve, building)
    const checkpoint = decide(after, {
      type: 'checkpoint',
      unit: unitId('store'),
      commit: commitOf('x'),
      tree: treeOf('x'),
      results: [passing()],
      answers: null,
      actor: theSystem,
    })
    expect(checkpoint).toMatchObject({ kind: 'refused' })
  })

  test('a checkpoint on another tree than the judged one is refused (I2)', () => {
    const judged = upTo('checkpoint')
    const command = {
      type: 'checkpoint',
      unit: unitId('store'),
      commit: commitOf('y'),
      tree: treeOf('other'),
      results: [passing()],
      answers: null,
      actor: theSystem,
    } as const
    expect(decide(judged, command)).toMatchObject({ kind: 'refused', why: expect.stringContaining('another tree') })
  })

  test('an unverified unit is never followed by the next (I1)', () => {
    expect(decide(upTo('judge-round'), { type: 'start-unit', unit: unitId('route'), actor: theSystem })).toMatchObject({
      kind: 'refused',
    })
  })

  test('nobody but the owner signs, and never an agent (I4)', () => {
    const ready = upTo('sign')
    for (const actor of [somebody, anAgent, theSystem])
      expect(decide(ready, { type: 'sign', candidate: aCandidate().commit, armoured: 'x', actor })).toMatchObject({
        kind: 'refused',
      })
  })

  test('a signature over a candidate that no longer stands is refused (I4)', () => {
    expect(
      decide(upTo('sign'), { type: 'sign', candidate: commitOf('old'), armoured: 'x', actor: anOwner }),
    ).toMatchObject({ kind: 'refused' })
  })

  test('nothing is signed while a unit waits for its review (I3)', () => {
    const commands = aDelivery().filter(({ type }) => type !== 'accept-unit')
    expect(
      decide(upTo('sign', commands), { type: 'sign', candidate: aCandidate().commit, armoured: 'x', actor: anOwner }),
    ).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('accepted'),
    })
  })

  test('changes requested become a revision of the unit, and its review is what counts then', () => {
    const ready = upTo('sign')
    const decision = decide(ready, {
      type: 'request-changes',
      unit: unitId('store'),
      reason: 'the lock is missing',
      actor: somebody,
    })
    if (decision.kind === 'refused') throw new Error(decision.why)
    const task = decision.events.reduce<Task | undefined>(evolve, ready)
    expect(task?.state).toBe('building')
    expect(task === undefined ? [] : unitsOf(task).map(({ unit }) => [unit.id, unit.revises])).toEqual([
      ['store', null],
      ['route', null],
      ['store-r2', 'store'],
    ])
  })

  test('a unit has only so many rounds, and a person grants as many again', () => {
    const failed = (round: number): TaskCommand => ({
      type: 'judge-round',
      unit: unitId('store'),
      round,
      tree: treeOf(`r${round}`),
      results: [failing()],
      actor: theSystem,
    })
    const begun = aDelivery().slice(0, 4)
    const { task } = follow([...begun, failed(1), failed(2), failed(3)])
    expect(decide(task, failed(4))).toMatchObject({ kind: 'refused' })
    const { task: granted } = follow([
      ...begun,
      failed(1),
      failed(2),
      failed(3),
      {
        type: 'block',
        reason: { kind: 'rounds-used-up', unit: unitId('store'), findings: [] },
        unblocks: 'answer',
        actor: theSystem,
      },
      { type: 'unblock', guidance: 'lock the row', actor: anOwner },
    ])
    expect(decide(granted, failed(4))).toMatchObject({ kind: 'accepted' })
  })

  test('what a person says about failed final gates becomes a unit of its own', () => {
    const ready = upTo('prepare-candidate')
    const { task } = {
      task: follow([
        ...aDelivery().slice(0, -4),
        { type: 'block', reason: { kind: 'final-gates-failed', findings: [] }, unblocks: 'answer', actor: theSystem },
        { type: 'unblock', guidance: 'mend the merge', actor: anOwner },
      ]).task,
    }
    expect(ready.state).toBe('reviewing')
    expect(task?.state).toBe('building')
  })
})

describe('no sequence of commands', () => {
  const someUnit = fc.constantFrom('store', 'route', 'store-r2', 'nothing').map(unitId)
  const actor = fc.constantFrom(anOwner, somebody, anAgent, theSystem)
  const results = fc.constantFrom(
    [passing()],
    [failing()],
    [away()],
    [passing(), away('lint')],
    [passing(), failing('lint')],
    [],
  )
  const tree = fc.constantFrom('a', 'b').map(treeOf)
  const command: fc.Arbitrary<TaskCommand> = fc.oneof(
    fc.record({
      type: fc.constant('propose-plan' as const),
      plan: fc.constantFrom(aPlan('store'), aPlan('store', 'route')),
      actor,
    }),
    fc.record({ type: fc.constant('approve-plan' as const), actor }),
    fc.record({ type: fc.constant('send-plan-back' as const), note: fc.constant('smaller'), actor }),
    fc.record({ type: fc.constant('start-unit' as const), unit: someUnit, actor }),
    fc.record({
      type: fc.constant('judge-round' as const),
      unit: someUnit,
      round: fc.integer({ min: 1, max: 4 }),
      tree,
      results,
      actor,
    }),
    fc.record({
      type: fc.constant('checkpoint' as const),
      unit: someUnit,
      commit: fc.constant(commitOf('z')),
      tree,
      results,
      answers: fc.constant(null),
      actor,
    }),
    fc.record({ type: fc.constant('accept-unit' as const), unit: someUnit, actor }),
    fc.record({
      type: fc.constant('request-changes' as const),
      unit: someUnit,
      reason: fc.constantFrom('', 'no lock'),
      actor,
    }),
    fc.record({
      type: fc.constant('prepare-candidate' as const),
      candidate: fc.constantFrom(aCandidate('one'), aCandidate('two'), { ...aCandidate(), evidence: [] }),
      actor,
    }),
    fc.record({
      type: fc.constant('sign' as const),
      candidate: fc.constantFrom(commitOf('one'), commitOf('two')),
      armoured: fc.constant('s'),
      actor,
    }),
    fc.record({
      type: fc.constant('start-landing' as const),
      attempt: fc
        .constantFrom('one', 'two')
        .map((seed) => ({ commit: commitOf(seed), tree: treeOf(seed), base: commitOf('base') })),
      actor,
    }),
    fc.record({ type: fc.constant('withdraw-candidate' as const), because: fc.constant('main moved'), actor }),
    fc.record({
      type: fc.constant('finish-landing' as const),
      commit: fc.constantFrom(commitOf('one'), commitOf('two')),
      actor,
    }),
    fc.record({
      type: fc.constant('block' as const),
      reason: fc.constant({ kind: 'final-gates-failed' as const, findings: [] }),
      unblocks: fc.constant('answer'),
      actor,
    }),
    fc.record({ type: fc.constant('unblock' as const), guidance: fc.constantFrom(null, 'do it so'), actor }),
    fc.record({ type: fc.constant('abandon' as const), because: fc.constant('not wanted'), actor }),
  )
  // Random commands alone seldom get far: a prefix of a good delivery brings every state within reach.
  const history = fc
    .tuple(fc.integer({ min: 1, max: aDelivery().length }), fc.array(command, { maxLength: 40 }))
    .map(([length, more]) => [...aDelivery().slice(0, length), ...more])

  const holds = (task: Task): void => {
    const units = unitsOf(task)
    const firstOpen = units.findIndex(({ status }) => status !== 'checkpointed')
    if (firstOpen !== -1) expect(units.slice(firstOpen + 1).every(({ status }) => status === 'pending')).toBe(true) // I1
    for (const progress of units) {
      if (progress.status !== 'checkpointed') continue
      expect(judge(progress.checkpoint.results).kind).toBe('passed') // I2
      expect(progress.rounds.at(-1)).toMatchObject({ outcome: 'passed', tree: progress.checkpoint.tree }) // I2
    }
    const work = workOf(task)
    if ('candidate' in work && work.candidate !== null) expect(work.candidate.evidence.length).toBeGreaterThan(0) // I3
    if ('signature' in work) {
      expect(work.signature.by).toBe(work.brief.owner) // I4
      expect(unitsToReview({ ...work, state: 'reviewing' })).toEqual([]) // I3
    }
    if (task.state === 'blocked') expect(task.was.state).not.toBe('blocked') // I6
  }

  test('reaches an impossible state, and none moves a finished task (I1 to I6)', () => {
    fc.assert(
      fc.property(history, (commands) => {
        let task: Task | undefined
        for (const wanted of commands) {
          const before: Task | undefined = task
          const decision = decide(task, wanted)
          if (decision.kind === 'refused') continue
          expect(before !== undefined && isFinished(before)).toBe(false) // I5
          for (const event of decision.events) task = evolve(task, event)
          if (task === undefined) throw new Error('an event made nothing')
          holds(task)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  test('leads to events that read back as themselves and replay to the same task', () => {
    fc.assert(
      fc.property(history, (commands) => {
        const { task, events } = follow(commands)
        const stored = JSON.parse(JSON.stringify(events)) as unknown[]
        const readBack = stored.map((event) => taskEventSchema.parse(event))
        expect(readBack).toEqual(events)
        expect(replay(readBack)).toEqual(task)
      }),
      { numRuns: 500 },
    )
  })

  test('changes a task while it is blocked, apart from an answer or its end', () => {
    fc.assert(
      fc.property(history, command, (commands, wanted) => {
        const { task } = follow(commands)
        if (task?.state !== 'blocked' || wanted.type === 'unblock' || wanted.type === 'abandon') return
        expect(decide(task, wanted).kind).toBe('refused')
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a landing under way', () => {
  test('is not abandoned: it may be on the branch already (I5)', () => {
    const landing = upTo('finish-landing')
    expect(decide(landing, { type: 'abandon', because: 'no', actor: anOwner })).toMatchObject({ kind: 'refused' })
    const stopped = decide(landing, { type: 'stop-landing', actor: theSystem })
    if (stopped.kind === 'refused') throw new Error(stopped.why)
    const signed = stopped.events.reduce<Task | undefined>(evolve, landing)
    expect(signed?.state).toBe('signed')
    expect(decide(signed, { type: 'abandon', because: 'no', actor: anOwner })).toMatchObject({ kind: 'accepted' })
  })
})

test('nobody but a person unblocks a task', () => {
  const block = {
    type: 'block',
    reason: { kind: 'final-gates-failed', findings: [] },
    unblocks: 'answer',
    actor: theSystem,
  } as const
  const { task } = follow([...aDelivery().slice(0, 4), block])
  expect(decide(task, { type: 'unblock', guidance: null, actor: anAgent })).toMatchObject({ kind: 'refused' })
})
