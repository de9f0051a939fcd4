import { Fault } from '../domain/fault.ts'
import type { Settings } from '../domain/settings.ts'
import type { Task } from '../domain/task/task.ts'
import type { AgentCommand } from '../ports/agent.ts'

export interface DeclaredAgent extends AgentCommand {
  readonly network: 'none' | 'host'
}

/**
 * The agent of a task as the protected settings declare it.
 * @throws Fault agent-missing when they do not
 */
export function agentFor(task: Pick<Task, 'agent'>, settings: Settings, environment: NodeJS.ProcessEnv): DeclaredAgent {
  const declared = settings.agents[task.agent]
  const [program, ...rest] = declared?.command ?? []
  if (declared === undefined || program === undefined)
    throw new Fault('agent-missing', `no agent \`${task.agent}\` is declared in .gaffer/gaffer.yaml`, {
      hint: `declare it under \`agents:\` on the protected branch (there: ${Object.keys(settings.agents).join(', ') || 'none'})`,
    })
  const { passEnv, model, network } = declared
  const passed = Object.fromEntries(
    passEnv.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  )
  return { name: task.agent, argv: [program, ...rest], env: { ...passed, ...declared.env }, model, network }
}
