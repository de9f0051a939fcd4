import { Fault } from '../domain/fault.ts'
import type { Room } from '../ports/gate.ts'
import { tail } from './plain-text.ts'

/** How a command of a gate ended by itself. Everything it printed, stdout before stderr. */
export interface Ended {
  readonly exitCode: number
  readonly output: string
  readonly durationMs: number
  /** When it started, in milliseconds of the epoch: older reports are not its own. */
  readonly startedAt: number
}

/**
 * Runs a command line of gaffer.yaml in a gate's room. Only an exit of its own says something: a signal, a missing
 * program and a cut output are Faults, which make the gate unavailable.
 * @throws Fault command-missing, command-killed, command-timeout, output-limit, cancelled, sandbox-unavailable
 */
export async function runLine(room: Room, line: string): Promise<Ended> {
  const startedAt = Date.now()
  const { exitCode, stdout, stderr, durationMs, truncated } = await room.run(line)
  const output = stdout.endsWith('\n') || stdout === '' ? `${stdout}${stderr}` : `${stdout}\n${stderr}`
  if (truncated)
    throw new Fault('output-limit', `${shown(line)} printed more than its limit`, {
      hint: 'make it print less, or raise limits.outputMb in .gaffer/gaffer.yaml',
    })
  const signal = exitCode === null ? 'a signal' : signalOf(exitCode)
  if (exitCode === null || signal !== undefined)
    throw new Fault('command-killed', `${shown(line)} was ended by ${signal ?? 'a signal'}`, {
      hint: 'find out what ended it (memory runs out, a crash in native code), and run the gate again',
      retryable: true,
    })
  if (exitCode === 126 || exitCode === 127)
    throw new Fault('command-missing', `${shown(line)} cannot be started: ${tail(output, 3, 500)}`, {
      hint: 'correct the command in .gaffer/gaffer.yaml, or add what it needs to the dependencies',
    })
  return { exitCode, output, durationMs, startedAt }
}

/** Shells and sandboxes tell the signal of a command that they ran as 128 + its number. */
const signalOf = (exitCode: number): string | undefined =>
  exitCode > 128 && exitCode <= 128 + 31 ? `signal ${exitCode - 128}` : undefined

const shown = (line: string): string => `\`${line.length > 120 ? `${line.slice(0, 119)}…` : line}\``
