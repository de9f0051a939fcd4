import type { CommitSha, TaskId, TreeSha } from '../domain/ids.ts'
import type { Settings } from '../domain/settings.ts'
import { Fault } from '../domain/fault.ts'
import { readSettings } from '../domain/read-settings.ts'
import { paths } from '../domain/settings.ts'
import type { GateResult } from '../domain/verdict.ts'
import type { Clock } from '../ports/clock.ts'
import type { Judged } from '../ports/gate.ts'
import type { History, Repository } from '../ports/repository.ts'
import type { Protection } from '../ports/sandbox.ts'
import type { EnvelopeSigner } from '../own/dsse.ts'
import type { Conversations } from './conversations.ts'
import type { Dossiers } from './dossiers.ts'
import type { Tasks } from './tasks.ts'

/** What to judge; the gates look the rest up themselves. */
export type JudgeRequest = Pick<
  Judged,
  'settings' | 'level' | 'base' | 'tree' | 'brief' | 'problems' | 'repository'
> & {
  readonly signal: AbortSignal
}

/** Where deliveries happen: everything the steps of a workflow work with. Wired in main.ts. */
export interface Site {
  readonly tasks: Tasks
  readonly clock: Clock
  /** The repository of a hub, opened once per process. */
  readonly open: (hub: string) => Promise<Repository>
  readonly conversations: Conversations
  readonly judge: (request: JudgeRequest) => Promise<readonly GateResult[]>
  /** Makes what the lockfile of `tree` names appear in a folder that holds its files; gives what has to be readable for it. */
  readonly provideDependencies: (request: {
    readonly repository: Repository
    readonly tree: TreeSha
    /** Whose lockfile is taken where that of `tree` cannot be installed. */
    readonly otherwise: TreeSha
    readonly settings: Settings
    readonly folder: string
    readonly signal: AbortSignal
  }) => Promise<{ readonly readable: readonly string[] }>
  readonly folders: (id: TaskId) => { readonly workspace: string; readonly home: string }
  readonly removeFolders: (id: TaskId) => Promise<void>
  /** Gaffer's own environment; agents get the variables of it that the settings name. */
  readonly environment: NodeJS.ProcessEnv
  /** What stands between agents or gates and this machine. */
  readonly protection: Protection
  readonly key: EnvelopeSigner
  readonly dossiers: Dossiers
  /** Aborts when the task is abandoned or this process stops. */
  readonly signal: (id: TaskId) => AbortSignal
}

/** The protected settings at a commit; what a change says about them counts for nothing. */
export const settingsAt = async (repository: History, commit: CommitSha): Promise<Settings> =>
  readSettings(await repository.read(commit, paths.settings))

/** @throws Fault sandbox-unavailable where the settings ask for a sandbox and this machine has none */
export function requireSandbox({ sandbox }: Settings, protection: Protection): void {
  if (!sandbox.required || protection.kind === 'confined') return
  throw new Fault('sandbox-unavailable', `${paths.settings} requires a sandbox, and here ${protection.why}`, {
    hint: protection.todo,
  })
}
