import { availableParallelism } from 'node:os'
import { Fault } from '../domain/fault.ts'
import { redact } from '../domain/redact.ts'
import { unavailable, type GateResult, type Measures, type Verdict } from '../domain/verdict.ts'
import type { Clock } from '../ports/clock.ts'
import type { Gate, Judged, OpenRoom, Room, Rooms, VerdictCache } from '../ports/gate.ts'
import { selectGates, type Selected } from './select-gates.ts'
import { timeLimit, type TimeLimit } from './time-limit.ts'
import { baselineKey, verdictKey } from './verdict-key.ts'

export interface GateRun extends Pick<
  Judged,
  'repository' | 'settings' | 'level' | 'base' | 'tree' | 'brief' | 'problems'
> {
  /** The registry, by name. */
  readonly gates: ReadonlyMap<string, Gate>
  readonly rooms: Rooms
  readonly cache: VerdictCache
  readonly clock: Clock
  readonly signal?: AbortSignal
  /** Gates at one time; by default as many as there are cores. */
  readonly atOnce?: number
}

/**
 * Judges a tree by every gate of a level, in order of name. Called for each round of a unit, for the final tree and
 * for a merged one. Never throws: a gate that cannot run, is unknown or has a bug is `unavailable`. Safe to repeat;
 * what was judged before on the same input is taken from the cache.
 */
export async function runGates(run: GateRun): Promise<readonly GateResult[]> {
  const selected = selectGates(run)
  const change = await readChange(run)
  if (change instanceof Fault)
    return selected.map(({ name }) => ({
      gate: name,
      verdict: unavailable(change.toJSON()),
      durationMs: 0,
      cached: false,
    }))

  const shared = sharedRoom(run, run.tree)
  const onBase = sharedRoom(run, change.baseTree)
  try {
    return await inParallel(selected, run.atOnce ?? availableParallelism(), (one) =>
      runGate(one, run, change, { tree: shared.open, base: onBase.open }),
    )
  } finally {
    await Promise.all([shared.close(), onBase.close()])
  }
}

type Change = Pick<Judged, 'baseTree' | 'changes'>
type GateSelected = Extract<Selected, { kind: 'gate' }>
interface OpenRooms {
  readonly tree: () => Promise<OpenRoom>
  readonly base: () => Promise<OpenRoom>
}

async function readChange({ repository, base, tree }: GateRun): Promise<Change | Fault> {
  try {
    const [baseTree, changes] = await Promise.all([repository.treeOf(base), repository.changes(base, tree)])
    return { baseTree, changes }
  } catch (error) {
    return error instanceof Fault ? error : broken('the repository', error)
  }
}

async function runGate(selected: Selected, run: GateRun, change: Change, rooms: OpenRooms): Promise<GateResult> {
  const { name } = selected
  const startedAt = Date.parse(run.clock.now())
  const told = (verdict: Verdict, cached: boolean): GateResult => ({
    gate: name,
    verdict,
    durationMs: Math.max(0, Date.parse(run.clock.now()) - startedAt),
    cached,
  })
  if (selected.kind === 'unavailable') return told(unavailable(selected.cause), false)
  if (run.signal?.aborted === true) return told(unavailable(cancelled(name).toJSON()), false)

  const { gate } = selected
  const baseline = gate.usesBaseline === true ? await baselineOf(selected, run, change, rooms) : null
  const limit = timeLimit(run.settings.limits.gateSeconds * 1_000, name)
  try {
    const judged = judgedBy(selected, run, change, baseline, roomWithin(limit, rooms.tree))
    const reads = gate.reads(judged)
    const key = reads === null ? null : verdictKey(selected, reads)
    const known = key === null ? undefined : await remembered(run.cache, key)
    if (known !== undefined) return told(known, true)

    const verdict = await Promise.race([gate.run(judged), limit.isUp])
    if (key !== null) await remember(run.cache, key, verdict)
    if (gate.usesBaseline === true) await remember(run.cache, baselineKey(selected, run.tree), verdict)
    return told(verdict, false)
  } catch (error) {
    return told(unavailable((error instanceof Fault ? error : broken(`the gate ${name}`, error)).toJSON()), false)
  } finally {
    limit.end()
  }
}

/**
 * What the gate measured on the base tree: remembered, else the base is judged now, and that is remembered. null where
 * the base cannot be judged or nothing was measured; what that means is for the gate to say. Never throws.
 */
async function baselineOf(
  selected: GateSelected,
  run: GateRun,
  { baseTree }: Change,
  rooms: OpenRooms,
): Promise<Measures | null> {
  const key = baselineKey(selected, baseTree)
  const known = await remembered(run.cache, key)
  if (known !== undefined) return measured(known)
  if (run.tree === baseTree) return null // judging it is what happens next

  const limit = timeLimit(run.settings.limits.gateSeconds * 1_000, selected.name)
  try {
    const onBase = { ...run, tree: baseTree, brief: null, problems: [] }
    const judged = judgedBy(selected, onBase, { baseTree, changes: [] }, null, roomWithin(limit, rooms.base))
    const verdict = await Promise.race([selected.gate.run(judged), limit.isUp])
    await remember(run.cache, key, verdict)
    return isWorthKeeping(verdict) ? measured(verdict) : null
  } catch {
    return null
  } finally {
    limit.end()
  }
}

const measured = ({ measures }: Kept): Measures | null => (Object.keys(measures).length === 0 ? null : measures)

function judgedBy(
  selected: GateSelected,
  run: GateRun,
  change: Change,
  baseline: Measures | null,
  room: () => Promise<Room>,
): Judged {
  const { repository, settings, level, base, tree, brief, problems } = run
  const { name, options } = selected
  return { name, options, settings, level, base, tree, brief, problems, repository, ...change, baseline, room }
}

type Kept = Extract<Verdict, { kind: 'passed' | 'failed' }>
const isWorthKeeping = (verdict: Verdict): verdict is Kept => verdict.kind === 'passed' || verdict.kind === 'failed'

/** A cache that is away costs time and changes no verdict. */
async function remembered(cache: VerdictCache, key: string): Promise<Kept | undefined> {
  const verdict = await cache.get(key).catch(() => undefined)
  return verdict !== undefined && isWorthKeeping(verdict) ? verdict : undefined
}
async function remember(cache: VerdictCache, key: string, verdict: Verdict): Promise<void> {
  if (isWorthKeeping(verdict)) await cache.put(key, verdict).catch(() => undefined)
}

/** The gate's own room on first use; its commands end when the gate's time does. */
function roomWithin(limit: TimeLimit, openRoom: () => Promise<OpenRoom>): () => Promise<Room> {
  let room: Promise<Room> | undefined
  return () => (room ??= limit.outside(openRoom().then((open) => open.room())).then(limited))

  function limited(room: Room): Room {
    return {
      ...room,
      run: (line, options = {}) =>
        room.run(line, {
          ...options,
          timeoutMs: Math.min(options.timeoutMs ?? Number.POSITIVE_INFINITY, limit.leftMs()),
        }),
    }
  }
}

/** One for a tree of a run, opened when the first gate asks for it. */
function sharedRoom({ rooms, repository, settings, signal }: GateRun, tree: Judged['tree']) {
  let opened: Promise<OpenRoom> | undefined
  return {
    open: () => (opened ??= rooms.open({ repository, tree, settings, ...(signal && { signal }) })),
    close: async () => {
      const open = await opened?.catch(() => undefined)
      await open?.close()
    },
  }
}

/** Answers in the order of the questions, at most so many at a time. */
async function inParallel<Item, Answer>(
  items: readonly Item[],
  atOnce: number,
  ask: (item: Item) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers = new Map<number, Answer>()
  const waiting = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) answers.set(index, await ask(item))
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(atOnce, items.length)) }, worker))
  return Array.from(answers.entries())
    .toSorted(([a], [b]) => a - b)
    .map(([, answer]) => answer)
}

const cancelled = (name: string): Fault =>
  new Fault('cancelled', `the gate ${name} was stopped before it ran`, { hint: 'start it again when it is wanted' })

const broken = (what: string, error: unknown): Fault =>
  new Fault('gate-broken', `${what} failed in a way nobody planned for: ${redact(String(error)).slice(0, 500)}`, {
    hint: 'this is a bug: report it with this message',
    cause: error,
  })
