import type { ChildProcess } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../domain/fault.ts'
import { endGroup } from './end-group.ts'
import { endLeftovers } from './leftovers.ts'
import { KeptOutput } from './output.ts'
import { launch, nameOf, stop, type StartOptions } from './start.ts'

export interface RunOptions extends StartOptions {
  readonly timeoutMs: number
  /** Limit for stdout and for stderr, each. What goes past it is left out of the middle, and said. */
  readonly outputBytes: number
  readonly signal?: AbortSignal
  /** Absent: nothing to read. */
  readonly stdin?: string | Uint8Array
}

export interface Ran<Output = string> {
  /** null when a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: Output
  readonly stderr: string
  readonly truncated: boolean
  readonly durationMs: number
}

/**
 * Runs a command to its end; its process group is gone when this returns or throws. A non-zero exit is a value.
 * Bytes that are no UTF-8 become U+FFFD.
 * @throws Fault command-missing, command-timeout, cancelled, bad-input (the working folder is not there)
 */
export async function run(argv: readonly [string, ...string[]], options: RunOptions): Promise<Ran> {
  const ran = await runBytes(argv, options)
  return { ...ran, stdout: ran.stdout.toString('utf8') }
}

/** Like `run`, with stdout as the bytes it is. */
export async function runBytes(argv: readonly [string, ...string[]], options: RunOptions): Promise<Ran<Buffer>> {
  const { signal, timeoutMs, outputBytes, stdin } = options
  if (signal?.aborted === true) throw cancelled(argv, options)

  const startedAt = performance.now()
  const { child, exited } = await launch(argv, options, stdin === undefined ? 'ignore' : 'pipe')
  const pid = child.pid ?? 0
  const stdout = new KeptOutput(outputBytes)
  const stderr = new KeptOutput(outputBytes)
  child.stdout?.on('data', (chunk: Buffer) => stdout.add(chunk))
  child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk))
  const drained = new Promise<void>((resolve) => void child.once('close', () => resolve()))
  child.stdin?.on('error', () => undefined) // it may exit without reading
  child.stdin?.end(stdin)

  const limit = new AbortController()
  const end = await Promise.race([
    exited.then(({ exitCode }) => ({ kind: 'exited' as const, exitCode })),
    whenAborted(signal, limit.signal).then(() => ({ kind: 'cancelled' as const })),
    pause(timeoutMs, { kind: 'timed-out' as const }, { signal: limit.signal }).catch(never<{ kind: 'timed-out' }>),
  ])
  limit.abort()
  await (end.kind === 'exited' ? tidy(pid, options) : stop(pid, options))
  await Promise.race([drained, pause(1_000, undefined, { ref: false })])
  letGo(child)

  switch (end.kind) {
    case 'cancelled':
      throw cancelled(argv, options)
    case 'timed-out':
      throw timedOut(argv, options, stdout, stderr)
    case 'exited': {
      const truncated = stdout.truncated || stderr.truncated
      const durationMs = performance.now() - startedAt
      const { exitCode } = end
      return { exitCode, stdout: stdout.bytes(), stderr: stderr.bytes().toString('utf8'), truncated, durationMs }
    }
  }
}

/** What a command leaves running does not outlive it. */
async function tidy(pid: number, { mark }: RunOptions): Promise<void> {
  await endGroup(pid, 250)
  if (mark !== undefined) await endLeftovers(mark)
}

/** Resolves when `signal` aborts; stops listening once `done` does. */
const whenAborted = (signal: AbortSignal | undefined, done: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) resolve()
    signal?.addEventListener('abort', () => resolve(), { once: true, signal: done })
  })

/** A pipe that an escaped process still holds would keep our own process alive. */
function letGo(child: ChildProcess): void {
  child.stdin?.destroy()
  child.stdout?.destroy()
  child.stderr?.destroy()
}

const cancelled = (argv: readonly string[], { label }: RunOptions): Fault =>
  new Fault('cancelled', `${nameOf(argv, label)} was stopped`, { hint: 'start it again when it is wanted' })

function timedOut(argv: readonly string[], options: RunOptions, stdout: KeptOutput, stderr: KeptOutput): Fault {
  const said = lastLines(`${stdout.bytes().toString('utf8')}\n${stderr.bytes().toString('utf8')}`)
  const ending = said === '' ? 'it printed nothing' : `its last words: ${said}`
  return new Fault(
    'command-timeout',
    `${nameOf(argv, options.label)} did not finish within ${options.timeoutMs / 1_000} s; ${ending}`,
    { hint: 'find out what it waits for, or raise its time limit', retryable: true },
  )
}

/** The end of an output, for a message. */
export const lastLines = (output: string): string => output.trim().split('\n').slice(-6).join('\n').slice(-1_000).trim()

const never = <T>(): Promise<T> => new Promise(() => undefined)
