import type { Unit } from '../../domain/plan.ts'
import { oneLine, visible } from '../../domain/visible.ts'
import type { Task } from '../../domain/task/task.ts'
import type { AgentCommand } from '../../ports/agent.ts'

/** The message of a unit's checkpoint: a Conventional Commit, with trailers that git can read (`git interpret-trailers`). */
export function checkpointMessage({
  task,
  unit,
  agent,
  round,
}: {
  task: Task
  unit: Unit
  agent: AgentCommand
  round: number
}): string {
  const { type, feature } = task.brief
  const trailers = [
    `Gaffer-Task: ${task.id}`,
    `Gaffer-Unit: ${unit.id}`,
    `Gaffer-Round: ${round}`,
    `Gaffer-Agent: ${agent.name}`,
    ...(agent.model === null ? [] : [`Gaffer-Model: ${agent.model}`]),
  ]
  const scope = feature === null ? '' : `(${feature.replace(/[^\w.-]+/g, '-')})`
  return `${type}${scope}: ${oneLine(unit.title)}\n\n${visible(unit.goal).trim()}\n\n${trailers.join('\n')}\n`
}
