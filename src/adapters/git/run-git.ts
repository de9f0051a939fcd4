import { statfs } from 'node:fs/promises'
import { Fault } from '../../domain/fault.ts'
import { lastLines, runBytes } from '../../process/run.ts'
import { settled, type Environment } from './environment.ts'

/** Where a command runs: its working folder and the whole environment. */
export interface Place {
  readonly cwd: string
  readonly env: Environment
  /** Configuration given on the command line; by default everything is settled. */
  readonly config?: readonly string[]
}

export interface GitOptions {
  readonly stdin?: string | Uint8Array
  /** Added to the place's environment. */
  readonly env?: Environment
  readonly timeoutMs?: number
  readonly outputBytes?: number
}

export interface GitRan {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: string
  readonly truncated: boolean
}

export const defaultTimeoutMs = 300_000
const defaultOutputBytes = 512 * 1024 * 1024

/**
 * Runs git to its end. A non-zero exit is a value for the caller to classify.
 * @throws Fault git-failed (killed, or past its time limit), command-missing
 */
export async function tryGit(place: Place, args: readonly string[], options: GitOptions = {}): Promise<GitRan> {
  const { stdin, env, timeoutMs = defaultTimeoutMs, outputBytes = defaultOutputBytes } = options
  const label = `git ${verbOf(args)}`
  const ran = await runBytes(['git', ...(place.config ?? settled), ...args], {
    cwd: place.cwd,
    env: env === undefined ? place.env : { ...place.env, ...env },
    label,
    timeoutMs,
    outputBytes: outputBytes * 2,
    ...(stdin === undefined ? {} : { stdin }),
  }).catch((error: unknown) => {
    throw startingFault(error, label)
  })
  if (ran.exitCode === null)
    throw new Fault('git-failed', `${label} was killed`, { hint: 'run it again', retryable: true })
  return { exitCode: ran.exitCode, stdout: ran.stdout, stderr: ran.stderr, truncated: ran.truncated }
}

/**
 * Runs git to its end and gives its standard output; every non-zero exit is a fault.
 * @throws Fault git-failed, disk-full, command-missing
 */
export async function git(place: Place, args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  const ran = await tryGit(place, args, options)
  if (ran.exitCode !== 0) throw await gitFault(args, ran, place.cwd)
  if (ran.truncated)
    throw new Fault('git-failed', `git ${verbOf(args)} printed more than can be read`, {
      hint: 'the repository holds far more files than expected; ignore generated files in .gitignore',
    })
  return ran.stdout
}

/** What a failed command means, beyond what its caller knows how to read. */
export async function gitFault(args: readonly string[], ran: GitRan, folder: string): Promise<Fault> {
  const said = lastLines(ran.stderr) || `exit ${ran.exitCode}`
  if (await isDiskFull(ran.stderr, folder)) return diskFull(folder)
  return new Fault('git-failed', `git ${verbOf(args)}: ${said}`, {
    hint: 'read what git says above; git fsck in that repository tells whether it is damaged',
  })
}

export const diskFull = (folder: string, cause?: unknown): Fault =>
  new Fault('disk-full', `there is no space left on the disk of ${folder}`, {
    hint: 'make space on that disk; nothing is lost, the work goes on from its last checkpoint',
    retryable: true,
    cause,
  })

/** git's exit status does not tell a full disk; with LC_ALL=C the system's words for it are always the same. */
async function isDiskFull(stderr: string, folder: string): Promise<boolean> {
  if (/No space left on device|Disk quota exceeded/.test(stderr)) return true
  const disk = await statfs(folder).catch(() => undefined)
  return disk !== undefined && disk.blocks > 0 && disk.bavail * disk.bsize < 256 * 1024
}

function startingFault(error: unknown, label: string): unknown {
  if (!(error instanceof Fault)) return error
  if (error.code === 'command-missing')
    return new Fault('command-missing', 'git is not installed', { hint: 'install git 2.38 or newer', cause: error })
  if (error.code === 'command-timeout')
    return new Fault('git-failed', error.message, { hint: 'look for what git waits on', retryable: true, cause: error })
  if (error.code === 'bad-input')
    return new Fault('git-failed', `${label}: ${error.message}`, { hint: error.hint, cause: error })
  return error
}

/** The subcommand, for messages: paths and URLs stay out of them. */
const verbOf = (args: readonly string[]): string => args.find((arg) => /^[a-z][a-z-]*$/.test(arg)) ?? 'command'
