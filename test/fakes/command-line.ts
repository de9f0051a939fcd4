import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { runCli } from '../../src/cli/run.ts'
import { announce, openToken } from '../../src/http/announce.ts'
import { createApp } from '../../src/http/app.ts'
import { createPageKeys } from '../../src/http/page-keys.ts'
import { serve, type Served } from '../../src/http/serve.ts'
import type { Protection } from '../../src/ports/sandbox.ts'
import { exampleBrief, memoryGaffer, type MemoryGaffer, type MemoryGafferOptions } from './memory-gaffer.ts'

const root = resolve(import.meta.dirname, '..', '..')
export const gafferProgram = join(root, 'bin', 'gaffer')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}
export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Instead of bin/gaffer: a program and its first arguments. */
  readonly program?: readonly [string, ...string[]]
}

/** Runs the command line as a process of its own, as a script would: with no terminal. */
export async function run(
  argv: readonly string[],
  { cwd = tmpdir(), env = {}, input = '', program = [gafferProgram] }: RunOptions = {},
): Promise<Ended> {
  const [file, ...first] = program
  const inherited = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
  }
  const child = spawn(file, [...first, ...argv], { cwd, env: { ...inherited, ...env }, timeout: 30_000 })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const code = new Promise<number | null>((done, failed) => {
    child.once('error', failed)
    child.once('close', done)
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, stdout, stderr }
}

async function runHere(argv: readonly string[], cwd: string): Promise<Ended> {
  const ended = { stdout: '', stderr: '' }
  const code = await runCli({
    argv,
    version: '1.2.3',
    terminal: {
      out: (line) => void (ended.stdout += line),
      err: (line) => void (ended.stderr += line),
      colour: false,
      canAsk: false,
      ask: () => Promise.reject(new Error('nobody is asked')),
      input: async () => '',
      onStop: () => {},
    },
    wiring: () => Promise.reject(new Error('not wired here')),
    cwd,
    env: {},
  })
  return { code, ...ended }
}

export interface ServedGaffer {
  readonly gaffer: MemoryGaffer
  /** The data folder; `--data` of every command. */
  readonly data: string
  readonly folder: string
  readonly url: string
  /** Runs a command as the owner against this server. */
  readonly gafferRun: (argv: readonly string[], options?: RunOptions) => Promise<Ended>
  /** The same in this process, for tests of many commands: only the process around it is left out. */
  readonly here: (argv: readonly string[]) => Promise<Ended>
  /** The one JSON document that a command answers with. */
  readonly json: (argv: readonly string[], options?: RunOptions) => Promise<Record<string, unknown>>
  /** Lets the server answer otherwise than it knows better. */
  readonly lie: (instead: Partial<MemoryGaffer>) => void
  /** Takes the server away, and brings it back on the same port. */
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
  /** How many streams are open. */
  readonly following: () => number
  /** A brief's file, ready to be delegated. */
  readonly brief: (text?: string) => Promise<string>
  [Symbol.asyncDispose](): Promise<void>
}

/** A Gaffer in memory behind the real server, on a data folder of its own, for commands to find. */
export async function servedGaffer({
  protection = { kind: 'confined', what: ['nothing runs here'] },
  ...options
}: MemoryGafferOptions & { protection?: Protection } = {}): Promise<ServedGaffer> {
  const folder = await mkdtemp(join(tmpdir(), 'gaffer-cli-'))
  const data = join(folder, 'data')
  const gaffer = memoryGaffer({ moves: true, ...options })
  const { token, tokenFile } = await openToken(data)
  let open = 0
  const counted = gaffer.follow.bind(gaffer)
  gaffer.follow = async function* (id, after, signal) {
    open += 1
    try {
      yield* counted(id, after, signal)
    } finally {
      open -= 1
    }
  }
  let closing = new AbortController()
  const listen = (port: number | null): Promise<Served> => {
    closing = new AbortController()
    return serve(
      createApp({
        gaffer,
        token,
        pageKeys: createPageKeys(token),
        version: '1.2.3',
        protection,
        closing: closing.signal,
      }),
      port,
    )
  }
  let served = await listen(null)
  const stop = async (): Promise<void> => {
    closing.abort()
    await served.close()
  }
  await announce(data, { url: served.url, pid: process.pid, tokenFile })
  const gafferRun = (argv: readonly string[], more: RunOptions = {}): Promise<Ended> =>
    run(['--data', data, '--as', 'maria@example.com', ...argv], { cwd: folder, ...more })
  return {
    gaffer,
    data,
    folder,
    url: served.url,
    gafferRun,
    stop,
    async start() {
      served = await listen(served.port)
    },
    following: () => open,
    here: (argv) => runHere(['--data', data, '--as', 'maria@example.com', ...argv], folder),
    async json(argv, more) {
      const { stdout } = await gafferRun([...argv, '--json'], more)
      return JSON.parse(stdout) as Record<string, unknown>
    },
    lie: (instead) => void Object.assign(gaffer, instead),
    async brief(content = exampleBrief()) {
      const file = join(folder, 'brief.md')
      await writeFile(file, content)
      return file
    },
    async [Symbol.asyncDispose]() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
