import type { BriefProblem } from '../domain/brief.ts'
import type { Verification } from '../domain/evidence.ts'
import type { Refusal } from '../domain/fault.ts'
import type { Json } from '../domain/json.ts'

/**
 * What the command line needs done on this machine rather than by the server. main.ts implements it, each method
 * loading only its own parts, so that no command pays for another. Methods throw only Fault.
 */
export interface Wiring {
  /**
   * Starts database, server and worker on a data folder, and answers once they serve.
   * @throws Fault port-taken, data-folder-in-use, database-corrupted, database-unavailable
   */
  up(options: UpOptions): Promise<Up>
  /** Starts a worker on the database of a data folder, or of DATABASE_URL. */
  worker(options: { readonly data: string }): Promise<Running>
  /** The checks there are; each is run, and shown, one after the other. */
  doctor(options: { readonly data: string; readonly folder: string }): Promise<readonly DoctorCheck[]>
  /** Checks a brief against the repository that `folder` is in, or on its own outside of one. */
  checkBrief(options: { readonly text: string; readonly folder: string }): Promise<readonly BriefProblem[]>
  /**
   * Checks commits with git and public keys alone.
   * @param options.range null: everything on the protected branch
   * @throws Fault not-a-repository, bad-input for a range that means nothing
   */
  verify(options: {
    readonly folder: string
    readonly range: string | null
    readonly trust: Trust
  }): Promise<Verification>
  /** Makes the read models again from the events, after auditing every stream. Safe to repeat. */
  rebuild(options: { readonly data: string }): Promise<Rebuilt>
  /** Judges a push, from inside a `pre-receive` hook. `updates` is the hook's input: old, new and ref a line. */
  preReceive(options: { readonly folder: string; readonly updates: string }): Promise<PushJudgement>
  /** Puts the `pre-receive` hook in place. Safe to repeat; never overwrites a hook of somebody else. */
  installHook(options: { readonly folder: string }): Promise<HookInstalled | Refusal>
  /** Public key of this Gaffer's evidence as PEM; makes the key pair on first use. */
  evidenceKey(options: { readonly data: string }): Promise<string>
  /**
   * Signs a statement as the owner, on this machine; the key never passes through here.
   * @throws Fault signing-failed, command-missing
   */
  sign(options: SignOptions): Promise<string>
  /** Sessions as they were recorded, as the text of one file that `replay` plays. */
  replayFile(sessions: readonly RecordedSession[]): Promise<string>
  /** Is the replay agent: speaks ACP on stdin and stdout until its client leaves. Answers with an exit code. */
  replay(options: { readonly file: string }): Promise<number>
}

export interface UpOptions {
  readonly data: string
  /** null: a free one. */
  readonly port: number | null
}
export interface Running {
  /** Settles when it has ended, by itself or by `stop`. */
  readonly stopped: Promise<void>
  /** Ends it cleanly. Safe to repeat. */
  stop(): Promise<void>
}
export interface Up extends Running {
  readonly url: string
  /** Opens the status page, once. */
  readonly pageUrl: string
  readonly protection: Protection
}

/** What stands between agents and this machine. */
export type Protection =
  | { readonly kind: 'confined'; readonly what: readonly string[] }
  | { readonly kind: 'unconfined'; readonly why: string; readonly todo: string }

export interface SignOptions {
  /** The statement, exactly. */
  readonly statement: string
  /** A private SSH key, or the public half of one that ssh-agent holds. */
  readonly keyFile: string
  /** Whether a person may be asked for a pass phrase; if not, a key that needs one does not sign. */
  readonly interactive: boolean
  /** Where SSH_AUTH_SOCK, HOME and the like come from. */
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface DoctorCheck {
  readonly name: string
  /** Tries what it reports; what it throws is a failed check. */
  run(): Promise<CheckResult>
}
export interface CheckResult {
  readonly state: 'ok' | 'warn' | 'fail'
  readonly says: string
  /** What to do about it; null when there is nothing to do. */
  readonly todo: string | null
}

/** Where the public keys come from: the protected base of the repository, or texts that the verifier brings. */
export type Trust =
  | { readonly kind: 'repository' }
  | { readonly kind: 'files'; readonly allowedSigners: string; readonly evidenceKeys: string }

export interface Rebuilt {
  readonly tasks: number
  readonly events: number
  readonly tampered: readonly { readonly stream: string; readonly version: number; readonly why: string }[]
}

export interface PushJudgement {
  readonly ok: boolean
  /** What to print where it is not: git shows it to whoever pushes. */
  readonly lines: readonly string[]
}
export interface HookInstalled {
  readonly kind: 'installed'
  readonly path: string
}

export interface RecordedSession {
  readonly name: string
  readonly entries: readonly Json[]
}
