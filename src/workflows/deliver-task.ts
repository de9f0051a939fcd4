import { Fault, type FaultRecord } from '../domain/fault.ts'
import { taskId, type TaskId } from '../domain/ids.ts'
import type { Unfinished } from '../domain/task/task.ts'
import type { Flow } from '../ports/flow.ts'
import { buildNextUnit } from './build-unit.ts'
import { landCandidate } from './land-candidate.ts'
import { planTask } from './plan-task.ts'
import { prepareCandidate } from './prepare-candidate.ts'
import type { Site } from './site.ts'
import { block, type Stage } from './stage.ts'

/**
 * The delivery of one task, from its brief to its landing: look where the task stands, do the next thing, look again.
 * What happened is in the task's events, so any process can take a delivery up at any point; a person's decision
 * changes the task and wakes the delivery. Every stage is safe to repeat.
 */
export async function deliverTask(flow: Flow, argument: string, site: Site): Promise<void> {
  const id = taskId(argument)
  for (let turn = 1; ; turn += 1) {
    try {
      const standing = await flow.step(`look-${turn}`, () => look(id, site))
      if (standing.kind === 'over') break
      if (standing.kind === 'waits') await flow.nap(patienceMs)
      else
        await work(
          { flow, id, turn, site, version: standing.version, during: stages[standing.state].during },
          standing.state,
        )
    } catch {
      // The database was away for longer than anything waits. The task stands where it stood: look again.
      await flow.nap(outageMs)
    }
  }
  await flow.step('tidy', () => tidy(id, site))
}

interface StageOf {
  readonly run: (stage: Stage) => Promise<void>
  readonly during: Stage['during']
}

/** What is done next, by where the task stands. */
const stages: Readonly<Record<Working, StageOf>> = {
  drafted: { run: planTask, during: ['drafted'] },
  building: { run: buildNextUnit, during: ['building'] },
  // then reviews and the signature are waited for
  reviewing: { run: prepareCandidate, during: ['reviewing'] },
  signed: { run: landCandidate, during: ['signed', 'landing', 'reviewing'] },
  landing: { run: landCandidate, during: ['signed', 'landing', 'reviewing'] },
}
type Working = Exclude<Unfinished['state'], 'planned'>

/** People's decisions wake the delivery. The limit bounds what a lost wake could cost. */
const patienceMs = 24 * 3_600_000
const outageMs = 5_000

type Standing =
  | { readonly kind: 'over' }
  | { readonly kind: 'waits' }
  | { readonly kind: 'works'; readonly state: Working; readonly version: number }

async function look(id: TaskId, site: Site): Promise<Standing> {
  const found = await site.tasks.get(id)
  if (found === undefined) throw new Error(`there is no task ${id}`)
  const { task, version } = found
  if (task.state === 'landed' || task.state === 'abandoned') return { kind: 'over' }
  if (task.state === 'planned' || task.state === 'blocked') return { kind: 'waits' }
  if (task.state === 'reviewing' && task.candidate !== null) return { kind: 'waits' }
  return { kind: 'works', state: task.state, version }
}

/** A throw that no stage planned for stops the task where people see it; it is never lost, and never tried for ever. */
async function work(stage: Stage, state: Working): Promise<void> {
  try {
    await stages[state].run(stage)
  } catch (error) {
    if (error instanceof Fault && error.code === 'database-unavailable') throw error
    const cause = error instanceof Fault ? error.toJSON() : bugOf(error)
    await block(stage, { kind: 'fault', during: state, cause })
  }
}

const bugOf = (error: unknown): FaultRecord =>
  new Fault('bug', error instanceof Error ? error.message : String(error), {
    hint: 'this is a fault of Gaffer: please report it, with `gaffer log`',
    retryable: true,
  }).toJSON()

async function tidy(id: TaskId, { conversations, removeFolders }: Site): Promise<void> {
  await conversations.closeTask(id)
  await removeFolders(id)
}
