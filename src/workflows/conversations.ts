import { randomBytes } from 'node:crypto'
import { Fault } from '../domain/fault.ts'
import type { TaskId } from '../domain/ids.ts'
import type { Json } from '../domain/json.ts'
import { redact } from '../domain/redact.ts'
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
    const recorder = createRecorder({ store, clock, stream: sessionStream(request.task, name), agent })
    const session = await agents.open({
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
    await Promise.all([...live.keys()].filter(wanted).map((key) => close(key)))
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
        if (error instanceof Fault) recorder.add({ kind: 'fault', fault: error.toJSON() })
        await close(request.key) // C1
        throw error
      }
    },
    note: (key, entry) => live.get(key)?.recorder.add(entry),
    close,
    closeTask: (task) => closeThose((key) => key.startsWith(`${task}/`)),
    closeAll: () => closeThose(() => true),
  }
}

interface Recorder {
  add(entry: SessionEntry): void
  /** Everything added so far is in the store afterwards. */
  flush(): Promise<void>
}

/** Entries wait in memory until a turn ends or a batch is full, and are then appended in order. */
function createRecorder(input: { store: EventStore; clock: Clock; stream: string; agent: AgentCommand }): Recorder {
  const { store, clock, stream, agent } = input
  let waiting: Json[] = []
  let version = 0
  let batch = 0
  let bytes = 0
  let cut = false
  let writing: Promise<void> = Promise.resolve()

  const write = async (events: readonly Json[]): Promise<void> => {
    batch += 1
    const appended = await store.append(stream, version, {
      commandId: `${stream}:${batch}`,
      actor: { kind: 'agent', name: agent.name, model: agent.model },
      events,
      at: clock.now(),
    })
    if (appended.kind !== 'conflict') version += events.length
  }
  const drain = (): void => {
    const events = waiting
    waiting = []
    if (events.length > 0) writing = writing.then(() => write(events))
  }

  return {
    add(entry) {
      const kept = JSON.parse(
        JSON.stringify(entry, (_, value: unknown) => (typeof value === 'string' ? clip(redact(value)) : value)),
      ) as Json
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
    },
  }
}

const clip = (text: string): string => (text.length <= entryLimit ? text : `${text.slice(0, entryLimit)}… [cut]`)
