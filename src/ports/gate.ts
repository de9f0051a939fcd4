import type { Brief } from '../domain/brief.ts'
import type { CommitSha, TreeSha } from '../domain/ids.ts'
import type { GateSettings, Settings } from '../domain/settings.ts'
import type { Measures, Verdict } from '../domain/verdict.ts'
import type { FileChange, Repository, WorkspaceProblem } from './repository.ts'
import type { Ran } from './sandbox.ts'

/**
 * A **Gate** is a folder of gates/: this object, its test and its README. It judges a tree, never a workspace.
 * What it cannot find out is `unavailable`; a bug may throw and is made unavailable by the runner.
 */
export interface Gate {
  /** Name of its folder. */
  readonly name: string
  /** Bumped when the same input may lead to another verdict; part of the cache key. */
  readonly version: number
  /** Whether it compares with what it measured on the base: the runner then looks that up. */
  readonly usesBaseline?: boolean
  /**
   * What the verdict depends on beside settings and version, as strings that change when it may change (tree ids,
   * digests). null: never cached.
   */
  reads(judged: Judged): readonly string[] | null
  run(judged: Judged): Promise<Verdict>
}

/** What is judged, and everything a gate may look at. */
export interface Judged {
  /** The name it was declared under in gaffer.yaml; findings carry it. */
  readonly name: string
  /** Its entry in the protected settings; the gate parses what is its own. */
  readonly options: GateSettings
  readonly settings: Settings
  readonly level: 'unit' | 'final'
  /** Head of the protected branch that the change is compared with. */
  readonly base: CommitSha
  readonly baseTree: TreeSha
  readonly tree: TreeSha
  /** base → tree. */
  readonly changes: readonly FileChange[]
  /** null when a tree is judged with no brief at hand (by hand, on any checkout): scope rules then do not apply. */
  readonly brief: Brief | null
  /** What the host found in the workspace that cannot be in a tree. */
  readonly problems: readonly WorkspaceProblem[]
  readonly repository: Repository
  /** What this gate measured on the base tree, where an earlier run is remembered; null where it is not known. */
  readonly baseline: Measures | null
  /** This gate's own clean checkout of `tree`, made on first use: no other gate's command writes there. */
  room(): Promise<Room>
}

/**
 * A clean checkout of a tree with its dependencies installed from the lockfile (the base's installer, scripts off).
 * Commands run in the sandbox, with Gaffer's environment.
 */
export interface Room {
  readonly folder: string
  /** The folder outside the checkout where this gate's commands leave their reports, `$GAFFER_REPORTS`. Empty at first. */
  readonly reports: string
  /**
   * @param line a shell command line, from the protected settings
   * @throws Fault command-missing, command-timeout, output-limit, cancelled, sandbox-unavailable
   */
  run(
    line: string,
    options?: { readonly env?: Readonly<Record<string, string>>; readonly timeoutMs?: number },
  ): Promise<Ran>
}

/** @throws Fault dependencies-unavailable, disk-full, git-failed */
export interface Rooms {
  open(request: RoomRequest): Promise<OpenRoom>
}
export interface RoomRequest {
  readonly repository: Repository
  readonly tree: TreeSha
  readonly settings: Settings
  readonly signal?: AbortSignal
}
export interface OpenRoom {
  /** A checkout and a reports folder for one gate; the dependencies behind it are shared and read-only. */
  room(): Promise<Room>
  /** Removes everything. Safe to repeat; never throws. */
  close(): Promise<void>
}

/** Verdicts that stand from earlier runs, by a key over everything that was read. Unavailable is never kept. */
export interface VerdictCache {
  get(key: string): Promise<Verdict | undefined>
  put(key: string, verdict: Verdict): Promise<void>
}
