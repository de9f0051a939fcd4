import { system, type Actor } from '../domain/actor.ts'
import type { FaultRecord } from '../domain/fault.ts'
import type { TaskId } from '../domain/ids.ts'
import type { TaskCommand } from '../domain/task/command.ts'
import { type BlockReason, type Task, type TaskState } from '../domain/task/task.ts'
import type { Flow } from '../ports/flow.ts'
import type { Site } from './site.ts'

/** One thing a delivery does, from one look at the task to the next. */
export interface Stage {
  readonly flow: Flow
  readonly id: TaskId
  /** Version of the task when the stage began: makes the names of what it does unique, and the same after a crash. */
  readonly version: number
  /** Which look at the task this follows on; a stage that is begun again has another. */
  readonly turn: number
  /** States the task is in while the stage works. In any other, a person took it elsewhere meanwhile. */
  readonly during: readonly TaskState[]
  readonly site: Site
}

type Unactored<T> = T extends unknown ? Omit<T, 'actor'> : never

/**
 * Tells the task what happened, as one durable step. Answers false when a person took the task elsewhere meanwhile
 * (abandoned it, asked for changes): then the stage is over. Any other refusal is a bug of the workflow.
 */
export function tell(
  stage: Stage,
  name: string,
  command: Unactored<TaskCommand>,
  actor: Actor = system('delivery'),
): Promise<boolean> {
  const { flow, id, version, site } = stage
  return flow.step(name, async () => {
    if (command.type === 'block' && (await isElsewhere(stage))) return false
    const outcome = await site.tasks.apply(id, { ...command, actor } as TaskCommand, `${flow.id}/${version}/${name}`)
    if (outcome.kind === 'done') return true
    if (await isElsewhere(stage)) return false
    throw new Error(`${id} refused ${command.type}: ${outcome.why}`)
  })
}

async function isElsewhere({ id, during, site }: Stage): Promise<boolean> {
  const found = await site.tasks.get(id)
  return found !== undefined && !during.includes(found.task.state)
}

export const block = (stage: Stage, reason: BlockReason): Promise<boolean> =>
  tell(stage, `block-${reason.kind}`, { type: 'block', reason, unblocks: unblocks(stage.id, reason) })

/** A fault stops the task for a person; one that is only the echo of what a person did stops nothing. */
export async function blockOnFault(stage: Stage, during: string, cause: FaultRecord): Promise<void> {
  await block(stage, { kind: 'fault', during, cause })
}

function unblocks(id: TaskId, reason: BlockReason): string {
  const again = `\`gaffer answer ${id}\` tries again`
  switch (reason.kind) {
    case 'rounds-used-up':
      return `\`gaffer answer ${id} "what to do differently"\` gives the agent as many rounds again`
    case 'gate-unavailable':
      return `${reason.cause.hint}; then ${again}`
    case 'fault':
      return `${reason.cause.hint}; then ${again}`
    case 'final-gates-failed':
      return `\`gaffer answer ${id} "what to mend"\` sends it back to the agent`
    case 'conflict':
      return `abandon it and delegate again on today's main, or make room on main; then ${again}`
    case 'agent-asks':
      return `\`gaffer answer ${id} "your answer"\``
    case 'hub-refused':
      return `${reason.message}; then \`gaffer land ${id}\``
  }
}

/** The task as it is now, where it must exist. */
export async function taskOf({ id, site }: Pick<Stage, 'id' | 'site'>): Promise<Task> {
  const found = await site.tasks.get(id)
  if (found === undefined) throw new Error(`there is no task ${id}`)
  return found.task
}
