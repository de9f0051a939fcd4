import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryRepository } from '../../test/fakes/memory-repository.ts'
import { memoryVerdicts, someSettings } from '../../test/gate-bench.ts'
import { Fault } from '../domain/fault.ts'
import { standingGates } from '../domain/required-gates.ts'
import { settingsSchema } from '../domain/settings.ts'
import { passed, unavailable, verdictOf, type Verdict } from '../domain/verdict.ts'
import { systemClock } from '../ports/clock.ts'
import type { Gate, Judged, Room, Rooms } from '../ports/gate.ts'
import { runGates, type GateRun } from './run-gates.ts'
import { selectGates } from './select-gates.ts'
import { baselineKey, verdictKey } from './verdict-key.ts'

const gate = (
  name: string,
  run: (judged: Judged) => Promise<Verdict> = async () => passed(),
  more: Partial<Gate> = {},
): Gate => ({
  name,
  version: 1,
  reads: ({ tree }) => [tree],
  run,
  ...more,
})
const registry = (...own: readonly Gate[]): ReadonlyMap<string, Gate> =>
  new Map([...standingGates.map((name) => gate(name)), ...own].map((one) => [one.name, one]))

const someRoom: Room = {
  folder: '/room',
  reports: '/reports',
  run: async () => ({ exitCode: 0, stdout: '', stderr: '', truncated: false, durationMs: 0 }),
}
function countedRooms(
  open: () => Promise<Room> = async () => someRoom,
): Rooms & { opened: number; rooms: number; closed: number } {
  const rooms = {
    opened: 0,
    rooms: 0,
    closed: 0,
    open: async () => {
      rooms.opened++
      return {
        room: async () => {
          rooms.rooms++
          return open()
        },
        close: async () => void rooms.closed++,
      }
    },
  }
  return rooms
}

function someRun(gates: ReadonlyMap<string, Gate>, declared: object = {}, more: Partial<GateRun> = {}): GateRun {
  const repository = memoryRepository()
  const [base, tree] = [repository.add({ a: '1' }), repository.add({ a: '2' })]
  const settings = settingsSchema.parse({
    version: 1,
    gates: Object.keys(declared).length > 0 ? declared : { secrets: {} },
  })
  return {
    repository,
    settings,
    level: 'unit',
    base: base.commit,
    tree: tree.tree,
    brief: null,
    problems: [],
    gates,
    rooms: countedRooms(),
    cache: memoryVerdicts(),
    clock: systemClock,
    ...more,
  }
}
const kinds = async (run: GateRun) => (await runGates(run)).map(({ gate: name, verdict }) => `${name} ${verdict.kind}`)
const always = ['contracts passed', 'scope passed', 'secrets passed']

describe('which gates run', () => {
  test('those of the level, and contracts, scope and secrets always, in order of name', async () => {
    const declared = {
      unit: { gate: 'x', at: 'unit' },
      final: { gate: 'x', at: 'final' },
      a: { gate: 'x' },
      secrets: { at: 'final' },
    }
    const gates = registry(gate('x'))
    expect(await kinds(someRun(gates, declared))).toEqual(['a passed', ...always, 'unit passed'])
    expect(await kinds(someRun(gates, declared, { level: 'final' }))).toEqual([
      'a passed',
      'contracts passed',
      'final passed',
      'scope passed',
      'secrets passed',
    ])
  })

  test('an unknown one is unavailable', async () => {
    expect(await runGates(someRun(registry(), { typo: {} }))).toContainEqual(
      expect.objectContaining({
        gate: 'typo',
        verdict: expect.objectContaining({
          kind: 'unavailable',
          cause: expect.objectContaining({ code: 'bad-settings' }),
        }),
      }),
    )
  })

  test('a name that always runs cannot be given to another gate', async () => {
    expect(await kinds(someRun(registry(gate('x')), { scope: { gate: 'x' } }))).toContain('scope unavailable')
  })

  test('whatever the settings, every name once, sorted, with the three that always run', () => {
    const name = fc.constantFrom('a', 'b', 'scope', 'secrets', 'tests')
    const entry = fc.record(
      { at: fc.constantFrom('unit' as const, 'final' as const, 'both' as const), gate: name },
      { requiredKeys: ['at'] },
    )
    fc.assert(
      fc.property(fc.dictionary(name, entry), fc.constantFrom('unit' as const, 'final' as const), (gates, level) => {
        const selected = selectGates({ settings: { gates }, level, gates: registry(gate('a')) }).map((one) => one.name)
        expect(selected).toEqual([...new Set(selected)].toSorted())
        expect(selected).toEqual(expect.arrayContaining([...standingGates]))
        const wanted = Object.entries(gates).filter(([, { at }]) => at === 'both' || at === level)
        expect(selected).toEqual(expect.arrayContaining(wanted.map(([one]) => one)))
      }),
    )
  })
})

describe('a gate that', () => {
  const only = async (run: Gate['run'], more: Partial<GateRun> = {}) =>
    (await runGates(someRun(registry(gate('x', run)), { x: {} }, more))).find((one) => one.gate === 'x')?.verdict

  test('throws is unavailable, and the others go on', async () => {
    const run = someRun(registry(gate('x', () => Promise.reject(new TypeError('token=abcdef123456')))), { x: {} })
    expect(await kinds(run)).toEqual([...always, 'x unavailable'])
    const verdict = (await runGates(run)).at(-1)?.verdict
    expect(verdict).toMatchObject({ cause: { code: 'gate-broken' } })
    expect(JSON.stringify(verdict)).not.toContain('abcdef123456')
  })

  test('throws while it says what it reads is unavailable', async () => {
    const reads = () => {
      throw new Error('no')
    }
    expect(await kinds(someRun(registry(gate('x', undefined, { reads })), { x: {} }))).toContain('x unavailable')
  })

  test('throws a Fault is unavailable for that', async () => {
    const fault = new Fault('command-missing', 'no', { hint: 'get it' })
    expect(await only(() => Promise.reject(fault))).toEqual(unavailable(fault.toJSON()))
  })

  test('does not end is unavailable once its time is up', async () => {
    const settings = someSettings({
      gates: { x: { at: 'both' } },
      limits: { gateSeconds: 0.001, turnSeconds: 1, outputMb: 1 },
    })
    expect(await only(() => new Promise(() => undefined), { settings })).toMatchObject({
      cause: { code: 'command-timeout' },
    })
  })

  test('runs a command has only its own time for it', async () => {
    let given: number | undefined
    const room: Room = {
      ...someRoom,
      run: async (_line, options) => {
        given = options?.timeoutMs
        return someRoom.run('')
      },
    }
    await only(
      async (judged) => {
        await (await judged.room()).run('x')
        return passed()
      },
      { rooms: countedRooms(async () => room) },
    )
    expect(given).toBeGreaterThan(0)
    expect(given).toBeLessThanOrEqual(600_000)
  })

  test('has not begun when the task is stopped is unavailable', async () => {
    expect(await only(async () => passed(), { signal: AbortSignal.abort() })).toMatchObject({
      cause: { code: 'cancelled' },
    })
  })

  test('cannot have a room is unavailable, and the rooms are closed', async () => {
    const rooms = countedRooms(() => Promise.reject(new Fault('disk-full', 'full', { hint: 'make room' })))
    const verdict = await only(async (judged) => ((await judged.room()).folder === '' ? passed() : passed()), { rooms })
    expect(verdict).toMatchObject({ cause: { code: 'disk-full' } })
    expect(rooms.closed).toBe(1)
  })
})

test('when the change cannot be read every gate is unavailable', async () => {
  const run = someRun(registry())
  const repository = {
    ...run.repository,
    treeOf: () => Promise.reject(new Fault('git-failed', 'no', { hint: 'git fsck' })),
  }
  expect(await kinds({ ...run, repository })).toEqual([
    'contracts unavailable',
    'scope unavailable',
    'secrets unavailable',
  ])
})

describe('the clean room', () => {
  const asking = (name: string) =>
    gate(name, async (judged) => {
      const [one, again] = [await judged.room(), await judged.room()]
      return one === again
        ? passed()
        : verdictOf([{ gate: name, rule: 'r', level: 'error', message: 'm', place: null, mend: null }])
    })

  test('is opened once for all, a room for each gate, and closed at the end', async () => {
    const rooms = countedRooms()
    const run = someRun(registry(asking('x'), asking('y')), { x: {}, y: {} }, { rooms })
    expect(await kinds(run)).toEqual([...always, 'x passed', 'y passed'])
    expect(rooms).toMatchObject({ opened: 1, rooms: 2, closed: 1 })
  })

  test('is not opened when no gate asks for it', async () => {
    const rooms = countedRooms()
    await runGates(someRun(registry(), {}, { rooms }))
    expect(rooms).toMatchObject({ opened: 0, closed: 0 })
  })
})

test('gates run at the same time, as many as are allowed', async () => {
  let [running, most] = [0, 0]
  const waiting: (() => void)[] = []
  const slow = async () => {
    most = Math.max(most, ++running)
    // Each waits until another one is there, or until it is the last.
    await new Promise<void>((resolve) => {
      waiting.push(resolve)
      if (waiting.length === 2) for (const go of waiting.splice(0)) go()
    })
    running--
    return passed()
  }
  const names = ['contracts', 'scope', 'secrets', 'x']
  const gates = new Map(names.map((name) => [name, gate(name, slow)]))
  expect(await kinds(someRun(gates, { x: {} }, { atOnce: 2 }))).toEqual(names.map((name) => `${name} passed`))
  expect(most).toBe(2)
})

describe('the cache', () => {
  const counting = (verdict: Verdict, more: Partial<Gate> = {}) => {
    const run = async () => {
      counted.runs++
      return verdict
    }
    const counted = { runs: 0, gate: gate('x', run, more) }
    return counted
  }
  const finding = { gate: 'x', rule: 'r', level: 'error', message: 'm', place: null, mend: null } as const
  const cause = { code: 'disk-full', message: 'm', hint: 'h', retryable: false } as const

  for (const [verdict, runs] of [
    [passed({ tests: 3 }), 1],
    [verdictOf([finding]), 1],
    [unavailable(cause), 2],
  ] as const)
    test(`keeps ${verdict.kind}: ${runs} of 2 runs`, async () => {
      const counted = counting(verdict)
      const run = someRun(registry(counted.gate), { x: {} })
      await runGates(run)
      expect((await runGates(run)).at(-1)).toMatchObject({ verdict, cached: runs === 1 })
      expect(counted.runs).toBe(runs)
    })

  test('is not asked for a gate that reads what it cannot name', async () => {
    const counted = counting(passed(), { reads: () => null })
    const run = someRun(registry(counted.gate), { x: {} })
    await runGates(run)
    await runGates(run)
    expect(counted.runs).toBe(2)
  })

  test('that is away costs a run and no verdict', async () => {
    const away = () => Promise.reject(new Error('the database is away'))
    expect(await kinds(someRun(registry(), {}, { cache: { get: away, put: away } }))).toEqual(always)
  })

  test('that holds an unavailable verdict is not believed', async () => {
    const cache = { get: async () => unavailable(cause), put: async () => undefined }
    expect(await kinds(someRun(registry(), {}, { cache }))).toEqual(always)
  })

  test('remembers what a gate measured on a tree for changes based on it', async () => {
    const seen: unknown[] = []
    const counter = gate('x', async ({ baseline }) => (seen.push(baseline), passed({ tests: 3 })), {
      usesBaseline: true,
    })
    const run = someRun(registry(counter), { x: {} })
    const { tree } = (run.repository as ReturnType<typeof memoryRepository>).add({ a: '1' })
    await runGates({ ...run, tree }) // the base itself
    await runGates(run)
    expect(seen).toEqual([null, { tests: 3 }])
  })

  describe('of what a gate measured', () => {
    const counter = (seen: unknown[], measure: (tree: string) => Promise<Verdict>) =>
      gate('x', async ({ baseline, tree }) => (seen.push([tree, baseline]), measure(tree)), { usesBaseline: true })
    const pass = async () => passed({ tests: 3 })

    test('on the base is filled by judging the base once, in a room of its own tree', async () => {
      const seen: unknown[] = []
      const trees: string[] = []
      const rooms: Rooms = {
        open: async ({ tree }) => (trees.push(tree), { room: async () => someRoom, close: async () => undefined }),
      }
      const inRoom = gate(
        'x',
        async (judged) => {
          const { baseline, tree } = judged
          await judged.room()
          seen.push([tree, baseline])
          return tree === run.tree ? passed({ tests: 3 }) : passed({ tests: 5 })
        },
        { usesBaseline: true },
      )
      const run = someRun(registry(inRoom), { x: {} }, { rooms })
      const base = await run.repository.treeOf(run.base)
      expect(await runGates(run)).toHaveLength(4) // the base's verdict is not among them
      const other = (run.repository as ReturnType<typeof memoryRepository>).add({ a: '3' })
      await runGates({ ...run, tree: other.tree })
      expect(seen).toEqual([
        [base, null],
        [run.tree, { tests: 5 }],
        [other.tree, { tests: 5 }],
      ])
      expect(trees).toEqual([base, run.tree, other.tree])
    })

    test('is not known where the base cannot be judged, whatever the reason, and the change is judged all the same', async () => {
      const outcomes: (() => Promise<Verdict>)[] = [
        async () => unavailable(cause),
        () => Promise.reject(new Error('no')),
        async () => verdictOf([finding]), // it failed before it measured anything
      ]
      for (const onBase of outcomes) {
        const seen: unknown[] = []
        const run = someRun(registry(counter(seen, (tree) => (tree === run.tree ? pass() : onBase()))), { x: {} })
        const base = await run.repository.treeOf(run.base)
        expect((await runGates(run)).at(-1)).toMatchObject({ gate: 'x', verdict: passed({ tests: 3 }) })
        expect(seen).toEqual([
          [base, null],
          [run.tree, null],
        ])
      }
    })

    test('is not asked of the base for a gate that compares nothing, or when the task is stopped', async () => {
      const seen: unknown[] = []
      const plain = gate('x', async ({ tree }) => (seen.push(tree), passed()))
      const run = someRun(registry(plain), { x: {} })
      await runGates(run)
      expect(seen).toEqual([run.tree])
      const stopped = someRun(registry(counter(seen, pass)), { x: {} }, { signal: AbortSignal.abort() })
      await runGates(stopped)
      expect(seen).toEqual([run.tree])
    })
  })

  test('has another name for anything that could lead to another verdict', () => {
    const keyed = fc.record({
      name: fc.constantFrom('a', 'b'),
      gate: fc.record({ name: fc.constantFrom('x', 'y'), version: fc.constantFrom(1, 2) }),
      options: fc.record({ at: fc.constant('both' as const), run: fc.constantFrom('1', '2') }),
    })
    const reads = fc.array(fc.constantFrom('r', 's', 'rs'), { maxLength: 3 })
    fc.assert(
      fc.property(keyed, keyed, reads, reads, (a, b, readsA, readsB) => {
        const same = JSON.stringify([a, readsA]) === JSON.stringify([b, readsB])
        expect(verdictKey(a, readsA) === verdictKey(b, readsB)).toBe(same)
        expect(verdictKey(a, readsA)).not.toBe(baselineKey(a, 'r' as never))
      }),
    )
  })
})
