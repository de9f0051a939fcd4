import { randomBytes } from 'node:crypto'
import { Fault } from '../domain/fault.ts'
import type { TaskId } from '../domain/ids.ts'
import type { Json } from '../domain/json.ts'
import { holdsToken, redact, redactTexts, secretTexts } from '../domain/redact.ts'
import type { Settings } from '../domain/settings.ts'
import type { AgentCommand, Agents, AgentSession, SessionEntry, Turn } from '../ports/agent.ts'
import type { DeclaredAgent } from './agent-for.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore } from '../ports/store.ts'

/**
 * Live conversations with agents, one per key (a task's planning, a unit), in this process only. After a crash the
 * conversation is gone and the next turn starts a fresh one with the whole prompt; nothing depends on its memory.
 *
 * Invariants:
 *  C1  at most one live session per key; a session that failed is closed and forgotten before its fault is passed on.
 *  C2  what passed is recorded in the order it happened, redacted, and written before the turn is reported.
 *  C3  a session that does not start leaves a record too: of why.
 */
export interface Conversations {
  turn(request: TurnRequest): Promise<Turn>
  /** Adds to the record of the key's session what the host found out itself. Nothing when there is no session. */
  note(key: string, entry: SessionEntry): void
  /** Ends the key's session, with its process group. Safe to repeat. */
  close(key: string): Promise<void>
  /** Ends every session of a task. */
  closeTask(task: TaskId): Promise<void>
  closeAll(): Promise<void>
}

export interface TurnRequest {
  readonly key: string
  readonly task: TaskId
  readonly agent: DeclaredAgent
  readonly workspace: string
  readonly home: string
  readonly readOnly: boolean
  /** What it may read beside its workspace and its own program. */
  readonly readable: readonly string[]
  readonly settings: Settings
  /** What to say to a session that knows nothing yet, and to one that knows the work. */
  readonly fresh: string
  readonly continued: string
  readonly signal: AbortSignal
}

export const sessionStream = (task: TaskId, name: string): string => `session/${task}/${name}`

const startMs = 60_000
/** What is kept of one session; an agent that talks more than this is cut, and the record says so. */
const recordLimitBytes = 4 * 1024 * 1024
const entryLimit = 64 * 1024

export interface ConversationParts {
  readonly agents: Agents
  readonly store: EventStore
  readonly clock: Clock
}

export function createConversations({ agents, store, clock }: ConversationParts): Conversations {
  const live = new Map<string, { session: AgentSession; recorder: Recorder }>()

  async function open(request: TurnRequest): Promise<{ session: AgentSession; recorder: Recorder }> {
    const { agent, workspace, home, readOnly, settings } = request
    const name = `${request.key.replace(/[^a-z0-9-]+/g, '-')}-${randomBytes(3).toString('hex')}`
    const secrets = secretTexts(passedValues(agent, settings))
    const recorder = createRecorder({ store, clock, stream: sessionStream(request.task, name), agent, secrets })
    const opening = agents.open({
      agent,
      workspace,
      home,
      readOnly,
      confinement: {
        cwd: workspace,
        writable: readOnly ? [home] : [workspace, home],
        readable: request.readable,
        home,
        network: agent.network,
      },
      limits: { startMs, outputBytes: settings.limits.outputMb * 1024 * 1024 },
      decide: () => Promise.resolve('allow'), // the sandbox and the gates decide; policy comes between here
      record: (entry) => recorder.add(entry),
      signal: request.signal,
    })
    const session = await opening.catch(async (error: unknown) => {
      noteFault(recorder, error)
      await recorder.flush().catch(() => undefined) // why it did not start says more than that nobody could write it down
      throw error
    })
    const conversation = { session, recorder }
    live.set(request.key, conversation)
    return conversation
  }

  async function close(key: string): Promise<void> {
    const conversation = live.get(key)
    if (conversation === undefined) return
    live.delete(key)
    await conversation.session.close()
    await conversation.recorder.flush()
  }

  const closeThose = async (wanted: (key: string) => boolean): Promise<void> => {
    const closed = await Promise.allSettled([...live.keys()].filter(wanted).map((key) => close(key)))
    const failed = closed.find((each) => each.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  return {
    async turn(request) {
      const known = live.get(request.key)
      const { session, recorder } = known ?? (await open(request))
      const text = known === undefined ? request.fresh : request.continued
      recorder.add({ kind: 'prompt', text })
      try {
        const turn = await session.prompt(text, {
          timeoutMs: request.settings.limits.turnSeconds * 1_000,
          signal: request.signal,
        })
        await recorder.flush()
        return turn
      } catch (error) {
        noteFault(recorder, error)
        await close(request.key).catch(() => undefined) // C1; the first fault is the one to tell
        throw error
      }
    },
    note: (key, entry) => live.get(key)?.recorder.add(entry),
    close,
    closeTask: (task) => closeThose((key) => key.startsWith(`${task}/`)),
    closeAll: () => closeThose(() => true),
  }
}

/** What the agent was given from this machine's environment: it may say it, and the record may not. */
function passedValues({ name, env }: AgentCommand, settings: Settings): readonly string[] {
  const declared = settings.agents[name]
  const passed = declared?.passEnv.filter((variable) => declared.env[variable] === undefined) ?? []
  return passed.flatMap((variable) => env[variable] ?? [])
}

function noteFault(recorder: Recorder, error: unknown): void {
  if (error instanceof Fault) recorder.add({ kind: 'fault', fault: error.toJSON() })
}

interface Recorder {
  add(entry: SessionEntry): void
  /**
   * Everything added so far is in the store afterwards.
   * @throws whatever kept the first batch that failed from the store; nothing after it is written
   */
  flush(): Promise<void>
}

interface RecorderParts {
  readonly store: EventStore
  readonly clock: Clock
  readonly stream: string
  readonly agent: AgentCommand
  /** Texts that must not be in the record. */
  readonly secrets: readonly string[]
}

/** Entries wait in memory until a turn ends or a batch is full, and are then appended in order. */
function createRecorder({ store, clock, stream, agent, secrets }: RecorderParts): Recorder {
  let waiting: Json[] = []
  let version = 0
  let batch = 0
  let bytes = 0
  let cut = false
  let writing: Promise<void> = Promise.resolve()
  let failure: { readonly error: unknown } | undefined

  const write = async (events: readonly Json[]): Promise<void> => {
    if (failure !== undefined) return // a record with a hole in it would be believed
    batch += 1
    try {
      const appended = await store.append(stream, version, {
        commandId: `${stream}:${batch}`,
        actor: { kind: 'agent', name: agent.name, model: agent.model },
        events,
        at: clock.now(),
      })
      if (appended.kind !== 'conflict') version += events.length
    } catch (error) {
      failure = { error }
    }
  }
  const drain = (): void => {
    const events = waiting
    waiting = []
    if (events.length > 0) writing = writing.then(() => write(events))
  }

  return {
    add(entry) {
      const kept = printable(entry, secrets)
      bytes += JSON.stringify(kept).length
      if (bytes <= recordLimitBytes) waiting.push(kept)
      else if (!cut)
        waiting.push({
          kind: 'cut',
          text: `the record of this session ends here: it is over ${recordLimitBytes} bytes`,
        })
      cut = bytes > recordLimitBytes
      if (waiting.length >= 200) drain()
    },
    async flush() {
      drain()
      await writing
      if (failure !== undefined) throw failure.error
    },
  }
}

const clip = (text: string): string => (text.length <= entryLimit ? text : `${text.slice(0, entryLimit)}… [cut]`)

/** An entry as it may be written down: with no secret in it, and within the limit. */
function printable(entry: SessionEntry, secrets: readonly string[]): Json {
  const told = entry.kind === 'changed' ? withoutSecretFiles(entry, secrets) : entry
  const safe = (text: string): string => clip(redactTexts(redact(text), secrets))
  const clean = told.kind === 'changed' ? (text: string) => redactTexts(text, secrets) : safe
  return JSON.parse(
    JSON.stringify(told, (_, value: unknown) => (typeof value === 'string' ? clean(value) : value)),
  ) as Json
}

/** Files are kept exactly as they are or not at all: a session is played again from them. */
function withoutSecretFiles(
  { files, omitted }: Extract<SessionEntry, { kind: 'changed' }>,
  secrets: readonly string[],
): Extract<SessionEntry, { kind: 'changed' }> {
  const isKept = (content: string | null): boolean =>
    content === null ||
    (content.length <= entryLimit && !holdsToken(content) && !secrets.some((secret) => content.includes(secret)))
  return {
    kind: 'changed',
    files: files.filter(({ content }) => isKept(content)),
    omitted: [...omitted, ...files.flatMap(({ path, content }) => (isKept(content) ? [] : [path]))],
  }
}
