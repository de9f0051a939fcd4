import { spawn } from 'node:child_process'
import { Fault } from '../domain/fault.ts'

export interface KeygenRun {
  readonly exitCode: number | null
  readonly stdout: string
  /** Its last line, which says what was wrong. */
  readonly said: string
}

const outputBytes = 64 * 1024

/**
 * Runs the system's `ssh-keygen` with `message` on its standard input. A non-zero exit is a value.
 * @throws Fault command-missing, command-timeout
 */
export function runSshKeygen(
  argv: readonly string[],
  options: { readonly message: string; readonly env: Readonly<Record<string, string>>; readonly timeoutMs?: number },
): Promise<KeygenRun> {
  return new Promise((resolve, reject) => {
    const child = spawn('ssh-keygen', argv, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...options.env },
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
    })
    const out = collect(child.stdout)
    const err = collect(child.stderr)
    child.on('error', (error) => reject(missing(error)))
    child.on('close', (exitCode, signal) => {
      if (signal === 'SIGKILL' && options.timeoutMs !== undefined) return reject(timedOut(options.timeoutMs))
      const said = err().trim().split('\n').at(-1) ?? ''
      resolve({ exitCode, stdout: out(), said: said.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 300) })
    })
    child.stdin.on('error', () => undefined) // it may leave before it has read everything; its exit code says why
    child.stdin.end(options.message)
  })
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    if (text.length < outputBytes) text += chunk.toString('utf8')
  })
  return () => text
}

const missing = (cause: Error): Fault =>
  new Fault('command-missing', 'ssh-keygen could not be started', {
    hint: 'install OpenSSH 8.9 or newer (Debian: `apt install openssh-client`) and see that it is on the PATH',
    cause,
  })

const timedOut = (timeoutMs: number): Fault =>
  new Fault('command-timeout', `ssh-keygen did not finish within ${timeoutMs} ms`, {
    hint: 'try again; see that ssh-keygen works in this environment',
    retryable: true,
  })
