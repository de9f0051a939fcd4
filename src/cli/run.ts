import { CommanderError, type Command } from 'commander'
import type { Answer } from './answer.ts'
import { createContext, type GlobalOptions } from './context.ts'
import { buildProgram } from './program.ts'
import { showStop } from './render/show-stop.ts'
import { stopOf, usage, type ExitCode } from './stop.ts'
import type { Terminal } from './terminal.ts'
import type { Wiring } from './wiring.ts'

export interface RunOptions {
  /** Without the program's own name. */
  readonly argv: readonly string[]
  readonly version: string
  readonly terminal: Terminal
  /** Called by the first command that needs it. */
  readonly wiring: () => Promise<Wiring>
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Runs one command to its end. Never throws: what goes wrong is printed and becomes the exit code. */
export async function runCli({ argv, version, ...given }: RunOptions): Promise<number> {
  const { terminal } = given
  let exit: number = 0
  const program: Command = buildProgram(async (work) => {
    const context = createContext(program.opts<GlobalOptions>(), given)
    const answer = await work(context)
    if (typeof answer === 'number') exit = answer
    else exit = print(answer, context.json, terminal)
  }, version)
  quiet(program, terminal)
  if (argv.length === 0) {
    terminal.out(program.helpInformation())
    return 0
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exit
  } catch (error) {
    return fail(error, argv.includes('--json'), terminal)
  }
}

function print(answer: Answer, json: boolean, terminal: Terminal): ExitCode {
  if (json) terminal.out(`${JSON.stringify(answer.data)}\n`)
  else if (answer.text.length > 0) terminal.out(`${answer.text.join('\n')}\n`)
  return answer.exit ?? 0
}

function fail(error: unknown, json: boolean, terminal: Terminal): ExitCode {
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  const stop = stopOf(error instanceof CommanderError ? misused(error) : error)
  if (json) {
    const { message: what, why, todo, type, details, exit } = stop
    terminal.out(`${JSON.stringify({ error: { what, why, todo, type, details, exit } })}\n`)
  } else terminal.err(showStop(stop, terminal.colour))
  return stop.exit
}

const misused = (error: CommanderError): Error =>
  error.code === 'commander.help'
    ? usage('no command was named', '', 'see `gaffer help`, or `gaffer help COMMAND`')
    : usage(
        error.message.replace(/^error: /, '').replaceAll('\n', ' '),
        '',
        'see `gaffer help`, or `gaffer help COMMAND`',
      )

/** Commander says nothing by itself: one place prints errors, and nothing ends the process. */
function quiet(command: Command, terminal: Terminal): void {
  command.exitOverride().configureOutput({ writeOut: (text) => terminal.out(text), writeErr: () => {} })
  for (const sub of command.commands) quiet(sub, terminal)
}
