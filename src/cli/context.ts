import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { gitLine } from './git.ts'
import { paint, type Paint } from './render/paint.ts'
import { usage } from './stop.ts'
import type { Terminal } from './terminal.ts'
import type { Wiring } from './wiring.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface GlobalOptions {
  readonly json?: boolean
  /** `false` with `--non-interactive`. */
  readonly nonInteractive?: boolean
  readonly data?: string
  readonly as?: string
}

/** What every command is given. */
export interface Context {
  readonly terminal: Terminal
  readonly wiring: () => Promise<Wiring>
  readonly cwd: string
  readonly env: Environment
  readonly json: boolean
  /** Whether a question may be asked. */
  readonly interactive: boolean
  /** Whether `--non-interactive` was given: whoever typed it decided already. */
  readonly nonInteractive: boolean
  /** The data folder, absolute. */
  readonly data: string
  readonly paint: Paint
  /** Prints at once, while the command still runs: words for people, one JSON line for programs. */
  say(line: string, json?: unknown): void
  /** E-mail address of the one who types. @throws Stop usage */
  person(): Promise<string>
}

export function createContext(
  options: GlobalOptions,
  given: { terminal: Terminal; wiring: () => Promise<Wiring>; cwd: string; env: Environment },
): Context {
  const json = options.json === true
  const nonInteractive = options.nonInteractive === true
  const { terminal, cwd, env } = given
  return {
    ...given,
    json,
    nonInteractive,
    interactive: !json && !nonInteractive && terminal.canAsk,
    data: resolve(cwd, options.data ?? dataFolder(env)),
    paint: paint(terminal.colour && !json),
    say(line, event) {
      if (!json) terminal.out(`${line}\n`)
      else if (event !== undefined) terminal.out(`${JSON.stringify(event)}\n`)
    },
    async person() {
      const address = options.as ?? (await gitLine(cwd, ['config', 'user.email']))
      if (address === undefined || address === '')
        throw usage(
          'who you are is not known',
          'git has no user.email here',
          'say it with `--as EMAIL`, or set it: `git config user.email EMAIL`',
        )
      if (!/^[^\s@<>"]+@[^\s@<>"]+$/.test(address))
        throw usage(
          `${address} is not an e-mail address`,
          'every step names the person who took it',
          'say it with `--as EMAIL`',
        )
      return address
    },
  }
}

/** GAFFER_DATA, or `gaffer` in the XDG data folder. */
export function dataFolder(env: Environment): string {
  const own = env['GAFFER_DATA']
  if (own !== undefined && own !== '') return own
  const xdg = env['XDG_DATA_HOME']
  const base = xdg !== undefined && xdg.startsWith('/') ? xdg : join(env['HOME'] ?? homedir(), '.local', 'share')
  return join(base, 'gaffer')
}
