import { methods, PROTOCOL_VERSION } from '@agentclientprotocol/sdk'
import { Fault } from '../../domain/fault.ts'
import type { SessionRequest } from '../../ports/agent.ts'
import type { AgentLine } from './agent-line.ts'
import { initializedSchema, modelChoice, sessionOpenedSchema } from './answers.ts'
import * as faults from './faults.ts'

/**
 * Introduces us, opens a session in the workspace and chooses the model, all within the start limit.
 * @returns the agent's name for itself, and the session's id
 * @throws Fault agent-not-acp, agent-timeout, agent-vanished, agent-flood, agent-refused
 */
export async function handshake(
  line: AgentLine,
  { agent, workspace, limits }: SessionRequest,
): Promise<{ readonly name: string; readonly sessionId: string }> {
  const deadline = performance.now() + limits.startMs
  const ask = (method: string, params: unknown): Promise<unknown> =>
    line.within(
      line.ask(method, params),
      deadline - performance.now(),
      () => line.foreign ?? faults.slowToStart(line.plight, method, limits.startMs),
    )
  const notAcp = (what: string): Fault => faults.notAcp(line.plight, what)

  const initialized = await ask(methods.agent.initialize, {
    protocolVersion: PROTOCOL_VERSION,
    clientInfo: { name: 'gaffer', version: '1' },
    // Off: files would be written and commands run by our process, outside of the sandbox.
    clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
  }).catch((error: unknown) => {
    throw error instanceof Fault && error.code === 'agent-refused'
      ? notAcp(`it refused initialize: ${error.message}`)
      : error
  })
  const hello = initializedSchema.safeParse(initialized)
  if (!hello.success) throw notAcp('its answer to initialize is none')
  const { protocolVersion, agentInfo } = hello.data
  if (protocolVersion !== PROTOCOL_VERSION)
    throw notAcp(`it speaks version ${protocolVersion} of it, and Gaffer version ${PROTOCOL_VERSION}`)

  const opened = sessionOpenedSchema.safeParse(await ask(methods.agent.session.new, { cwd: workspace, mcpServers: [] }))
  if (!opened.success) throw notAcp('its answer to session/new is none')
  const { sessionId } = opened.data
  const session = { name: agentInfo?.name ?? agent.name, sessionId }

  const choice = agent.model === null ? undefined : modelChoice(opened.data)
  if (agent.model === null || choice === undefined || choice.current === agent.model) return session
  if (!choice.models.includes(agent.model)) throw faults.noSuchModel(agent.name, agent.model, choice.models)
  await ask(methods.agent.session.setConfigOption, { sessionId, configId: choice.configId, value: agent.model })
  return session
}
