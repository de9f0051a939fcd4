import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import { wantsColour } from './render/paint.ts'

/** The two ends of a command, so that tests can hold them. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  readonly colour: boolean
  /** Whether somebody sits in front of it and can be asked. */
  readonly canAsk: boolean
  ask(question: string): Promise<string>
  /** All of standard input. */
  input(): Promise<string>
  /** Calls back when the process is asked to end (Ctrl-C, SIGTERM). */
  onStop(stop: () => void): void
}

export function processTerminal(): Terminal {
  // A reader that has seen enough (`| head`) is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return {
    out: (line) => void process.stdout.write(line),
    err: (line) => void process.stderr.write(line),
    colour: wantsColour(process.stdout.isTTY === true, process.env),
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    async ask(question) {
      const reader = createInterface({ input: process.stdin, output: process.stderr })
      try {
        return (await reader.question(question)).trim()
      } finally {
        reader.close()
      }
    },
    input: () => text(process.stdin),
    onStop(stop) {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
      // A closed terminal ends it too; started with nohup, standard output is none and the signal stays ignored.
      if (process.stdout.isTTY) process.once('SIGHUP', stop)
    },
  }
}
