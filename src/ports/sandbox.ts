/** What stands between a process we do not trust and the machine. */
export interface Sandbox {
  readonly name: 'bwrap' | 'none'
  /** What it protects on this machine, tried, not assumed; one sentence each. */
  protects(): Promise<Protection>
  /**
   * The command line that runs `argv` confined; it is for the caller to start it. Pure as far as the outside can tell.
   * @throws Fault command-missing, sandbox-unavailable
   */
  wrap(argv: readonly [string, ...string[]], confinement: Confinement): Promise<readonly [string, ...string[]]>
  /**
   * Runs a command to its end, in a process group of its own that is gone when this returns. A non-zero exit is a
   * value. Output past the limit is cut and said.
   * @throws Fault command-missing, command-timeout, cancelled, sandbox-unavailable
   */
  run(argv: readonly [string, ...string[]], options: RunOptions): Promise<Ran>
}

export type Protection =
  | { readonly kind: 'confined'; readonly what: readonly string[] }
  | { readonly kind: 'unconfined'; readonly why: string; readonly todo: string }

export interface Confinement {
  /** Working folder, absolute. */
  readonly cwd: string
  /** Absolute paths that may be written; everything else is read-only or hidden. */
  readonly writable: readonly string[]
  /** Absolute paths that may be read beside the system's own (`/usr`, `/bin`, `/lib*`, a few of `/etc`). */
  readonly readable: readonly string[]
  /** Where the home folder points; one of `writable`. */
  readonly home: string
  readonly network: 'none' | 'host'
}

export interface RunOptions {
  readonly confinement: Confinement
  /** The whole environment, apart from PATH, HOME, LANG and TMPDIR which the sandbox sets. */
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly outputBytes: number
  readonly signal?: AbortSignal
}

export interface Ran {
  /** null when a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** Whether output was cut at the limit. */
  readonly truncated: boolean
  readonly durationMs: number
}
