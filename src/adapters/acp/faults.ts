import { Fault } from '../../domain/fault.ts'
import type { Exit } from '../../process/start.ts'

/** Every way an agent fails us, said once. `heard` is the end of what it printed on stderr. */
export interface Plight {
  readonly agent: string
  readonly heard: string
}

const withWords = (message: string, { heard }: Plight): string =>
  heard.trim() === '' ? message : `${message}; it said: ${heard.trim().split('\n').slice(-8).join('\n').slice(-1_500)}`

export const agentMissing = (agent: string, cause: Fault): Fault =>
  new Fault('agent-missing', `the agent ${agent} cannot be started: ${cause.message}`, {
    hint: `${cause.hint}; its command is in .gaffer/gaffer.yaml under agents.${agent}`,
    cause,
  })

export const notAcp = (plight: Plight, what: string): Fault =>
  new Fault(
    'agent-not-acp',
    withWords(`the agent ${plight.agent} does not speak the Agent Client Protocol: ${what}`, plight),
    {
      hint: `check agents.${plight.agent}.command in .gaffer/gaffer.yaml: many agents need an argument such as \`acp\` or \`--acp\``,
    },
  )

export const vanished = (plight: Plight, when: string, { exitCode, signal }: Exit): Fault => {
  const how = signal === null ? `exited with code ${exitCode}` : `was ended by ${signal}`
  return new Fault('agent-vanished', withWords(`the agent ${plight.agent} ${how} ${when}`, plight), {
    hint: 'see what it said, start its command by hand, then let the task go on',
    retryable: true,
  })
}

export const hungUp = (plight: Plight, when: string): Fault =>
  new Fault('agent-vanished', withWords(`the agent ${plight.agent} closed its output ${when}`, plight), {
    hint: 'start its command by hand and see why it stops talking, then let the task go on',
    retryable: true,
  })

export const slowToStart = (plight: Plight, step: string, limitMs: number): Fault =>
  new Fault(
    'agent-timeout',
    withWords(`the agent ${plight.agent} did not answer ${step} within ${limitMs / 1_000} s`, plight),
    {
      hint: 'start its command by hand: it may be waiting for a login or for the network',
      retryable: true,
    },
  )

export const slowTurn = (plight: Plight, limitMs: number): Fault =>
  new Fault(
    'agent-timeout',
    withWords(`the agent ${plight.agent} did not end its turn within ${limitMs / 1_000} s`, plight),
    {
      hint: 'raise limits.turnSeconds in .gaffer/gaffer.yaml, or make the unit smaller',
      retryable: true,
    },
  )

export const flooded = (plight: Plight, limitBytes: number): Fault =>
  new Fault(
    'agent-flood',
    `the agent ${plight.agent} printed more than ${limitBytes} bytes in one turn and was stopped`,
    {
      hint: 'look at its last output; raise limits.outputMb in .gaffer/gaffer.yaml if so much is right',
    },
  )

export const stopped = (agent: string): Fault =>
  new Fault('cancelled', `the turn of the agent ${agent} was cancelled`, { hint: 'start it again when it is wanted' })

export const startStopped = (agent: string): Fault =>
  new Fault('cancelled', `the start of the agent ${agent} was cancelled`, { hint: 'start it again when it is wanted' })

/** JSON-RPC's and ACP's own error codes that have a cure of their own. */
const authRequired = -32_000

export const refused = (plight: Plight, request: string, error: { code: number; message: string }): Fault =>
  new Fault(
    'agent-refused',
    withWords(`the agent ${plight.agent} refused ${request}: ${error.message} (${error.code})`, plight),
    {
      hint:
        error.code === authRequired
          ? `it wants to be logged in: give it its key in agents.${plight.agent}.env, or in its own configuration`
          : 'see what it said; if it persists, start its command by hand',
      retryable: error.code !== authRequired,
    },
  )

export const noSuchModel = (agent: string, model: string, models: readonly string[]): Fault =>
  new Fault('agent-refused', `the agent ${agent} has no model ${model}; it has ${models.slice(0, 20).join(', ')}`, {
    hint: `name one of them as agents.${agent}.model in .gaffer/gaffer.yaml, or none`,
  })
