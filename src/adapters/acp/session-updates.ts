import { z } from 'zod'
import type { SessionEntry } from '../../ports/agent.ts'

const contentSchema = z.looseObject({
  type: z.string(),
  path: z.string().optional(),
  content: z.looseObject({ type: z.string(), text: z.string().optional() }).optional(),
})
/** A tool call, whole or in part: ACP sends first the one, then the other, and a permission request either. */
export const toolSchema = z.looseObject({
  toolCallId: z.string(),
  title: z.string().nullish().catch(null),
  kind: z.string().nullish().catch(null),
  status: z.string().nullish().catch(null),
  content: z
    .array(z.union([contentSchema, z.unknown()]))
    .nullish()
    .catch(null),
  locations: z
    .array(z.looseObject({ path: z.string() }))
    .nullish()
    .catch(null),
})
const textSchema = z.looseObject({ content: z.looseObject({ type: z.literal('text'), text: z.string() }) })
const planSchema = z.looseObject({
  entries: z.array(z.looseObject({ content: z.string(), status: z.string().optional() })),
})
const updateSchema = z.looseObject({
  sessionId: z.string(),
  update: z.looseObject({ sessionUpdate: z.string() }),
})

export interface ToolCall {
  readonly id: string
  readonly title: string
  readonly kind: string
  readonly status: string
  readonly paths: readonly string[]
  readonly detail: string | null
}

/** Longest stretch of speech kept back before it is recorded. */
const speechLimit = 4_000
const detailLimit = 4_000

/**
 * What an agent reports, as entries of the record. Speech comes in pieces and is recorded in stretches: whenever
 * something else happens, at a limit, and at the end of a turn. Updates that are not understood are left out: git says
 * what was done.
 */
export class SessionUpdates {
  readonly #record: (entry: SessionEntry) => void
  readonly #tools = new Map<string, ToolCall>()
  #speech: { readonly kind: 'said' | 'thought'; readonly text: string } | undefined
  #said: string[] = []

  constructor(record: (entry: SessionEntry) => void) {
    this.#record = record
  }

  /** Takes the params of a `session/update` of this session. */
  take(params: unknown, sessionId: string): void {
    const { success, data } = updateSchema.safeParse(params)
    if (!success || data.sessionId !== sessionId) return
    switch (data.update.sessionUpdate) {
      case 'agent_message_chunk':
        return this.#hear('said', data.update)
      case 'agent_thought_chunk':
        return this.#hear('thought', data.update)
      case 'tool_call':
      case 'tool_call_update': {
        const tool = toolSchema.safeParse(data.update)
        if (tool.success) this.tool(tool.data)
        return
      }
      case 'plan': {
        const plan = planSchema.safeParse(data.update)
        if (plan.success) this.note({ kind: 'plan', text: plan.data.entries.map(planLine).join('\n') })
        return
      }
      default: // modes, commands, usage so far: nothing of the work
    }
  }

  /** Adds what is news to what is known of a tool call, and records it. */
  tool(news: z.infer<typeof toolSchema>): ToolCall {
    const call = this.merge(news)
    const { id, title, status, detail } = call
    this.note({ kind: 'tool', id, title, status, detail })
    return call
  }

  /** Upserts by id: news may come before the call itself, and in parts. */
  merge({ toolCallId: id, title, kind, status, content, locations }: z.infer<typeof toolSchema>): ToolCall {
    const known = this.#tools.get(id)
    const contents = (content ?? []).flatMap((entry) => {
      const { success, data } = contentSchema.safeParse(entry)
      return success ? [data] : []
    })
    const paths = [...(locations ?? []), ...contents].flatMap(({ path }) => (typeof path === 'string' ? [path] : []))
    const detail = contents.map(
      (entry) => entry.content?.text ?? (entry.path === undefined ? '' : `changes ${entry.path}`),
    )
    const call: ToolCall = {
      id,
      title: title ?? known?.title ?? 'a tool',
      kind: kind ?? known?.kind ?? 'other',
      status: status ?? known?.status ?? 'pending',
      paths: [...new Set([...(known?.paths ?? []), ...paths])],
      detail: detail.join('\n').slice(0, detailLimit) || (known?.detail ?? null),
    }
    this.#tools.set(id, call)
    return call
  }

  /** Records an entry after what was said before it. */
  note(entry: SessionEntry): void {
    this.#flush()
    this.#record(entry)
  }

  /** Everything said since the last call. */
  endTurn(): string {
    this.#flush()
    const said = this.#said.join('')
    this.#said = []
    return said
  }

  #hear(kind: 'said' | 'thought', update: unknown): void {
    const { success, data } = textSchema.safeParse(update)
    if (!success) return // an image or a link
    const { text } = data.content
    if (kind === 'said') this.#said.push(text)
    if (this.#speech !== undefined && this.#speech.kind !== kind) this.#flush()
    this.#speech = { kind, text: (this.#speech?.text ?? '') + text }
    if (this.#speech.text.length >= speechLimit) this.#flush()
  }

  #flush(): void {
    const speech = this.#speech
    this.#speech = undefined
    if (speech !== undefined) this.#record(speech)
  }
}

const planLine = ({ content, status }: { readonly content: string; readonly status?: string | undefined }): string =>
  `${status === 'completed' ? '[x]' : '[ ]'} ${content}`
