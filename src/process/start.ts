import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { Fault } from '../domain/fault.ts'
import { endGroup } from './end-group.ts'
import { endLeftovers, findDescendants, markVariable } from './leftovers.ts'

export interface StartOptions {
  readonly cwd: string
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  /** What the command is called in messages; by default its own words. */
  readonly label?: string
  /** Marks the process and its children, so that those that leave the process group are found and ended too. */
  readonly mark?: string
  /** Patience between SIGTERM and SIGKILL, milliseconds; by default 1,000. */
  readonly graceMs?: number
}

/** A process that talks over its stdio. */
export interface Running {
  readonly pid: number
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** How it ended, once it has; never rejects. Its output may still be on the way. */
  readonly exited: Promise<Exit>
  /** Ends the whole process group, and what escaped from it when it is marked. Safe to repeat; never throws. */
  stop(): Promise<void>
}

export interface Exit {
  /** null when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * Starts a command in a process group of its own, with pipes for its stdio. The caller ends it with `stop`.
 * @throws Fault command-missing
 */
export async function start(argv: readonly [string, ...string[]], options: StartOptions): Promise<Running> {
  const { child, exited } = await launch(argv, options, 'pipe')
  const { pid, stdin, stdout, stderr } = child
  if (pid === undefined || stdin === null || stdout === null || stderr === null) throw new Error('a pipe is missing')
  stdin.on('error', ignore) // whoever reads `exited` learns that nobody listens any more
  return { pid, stdin, stdout, stderr, exited, stop: () => stop(pid, options) }
}

/** Ends a group that was launched with these options, and its leftovers when it is marked. */
export async function stop(pid: number, { mark, graceMs = 1_000 }: StartOptions): Promise<void> {
  if (mark === undefined) return endGroup(pid, graceMs)
  const descendants = findDescendants(pid)
  await endGroup(pid, graceMs)
  await endLeftovers(mark, { also: descendants })
}

/** @throws Fault command-missing, bad-input */
export async function launch(
  [program, ...words]: readonly [string, ...string[]],
  options: StartOptions,
  stdin: 'pipe' | 'ignore',
): Promise<{ readonly child: ChildProcess; readonly exited: Promise<Exit> }> {
  const { cwd, env, mark } = options
  const child = spawnOrFault(() =>
    spawn(program, words, {
      cwd,
      env: mark === undefined ? env : { ...env, [markVariable]: mark },
      detached: true, // a group of its own
      stdio: [stdin, 'pipe', 'pipe'],
      windowsHide: true,
    }),
  )
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  }).catch((error: unknown) => {
    throw spawnFault(error)
  })
  child.on('error', ignore)
  return { child, exited }

  function spawnOrFault(begin: () => ChildProcess): ChildProcess {
    try {
      return begin()
    } catch (error) {
      throw spawnFault(error)
    }
  }

  function spawnFault(cause: unknown): unknown {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    const hint = `install ${program}, or put its folder on the PATH`
    if (code === 'ENOENT' && !existsSync(cwd))
      return new Fault('bad-input', `the folder ${cwd} is not there`, { hint: 'make the folder, and try again', cause })
    if (code === 'ENOENT') return new Fault('command-missing', `there is no program ${program}`, { hint, cause })
    if (code === 'EACCES' || code === 'ENOEXEC')
      return new Fault('command-missing', `${program} cannot be executed`, { hint: `chmod +x ${program}`, cause })
    if (code === 'E2BIG')
      return new Fault('bad-input', `the command line of ${program} is too long`, { hint: 'pass it by a file', cause })
    return cause
  }
}

/** A command as people know it, short enough for a message. */
export const nameOf = (argv: readonly string[], label?: string): string => {
  const words = label ?? argv.join(' ')
  return words.length > 160 ? `${words.slice(0, 159)}…` : words
}

const ignore = (): void => undefined
