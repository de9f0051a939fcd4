import { z } from 'zod'
import type { Turn } from '../../ports/agent.ts'

/** What agents answer, as far as Gaffer relies on it. The SDK passes answers on unread. */
export const initializedSchema = z.looseObject({
  protocolVersion: z.number(),
  agentInfo: z
    .looseObject({ name: z.string(), version: z.string().optional().catch(undefined) })
    .nullish()
    .catch(null),
  authMethods: z
    .array(z.looseObject({ id: z.string(), name: z.string().optional() }))
    .nullish()
    .catch(null),
})

const choiceSchema = z.looseObject({ value: z.string() })
const optionSchema = z.looseObject({
  id: z.string(),
  category: z.string().nullish(),
  currentValue: z.unknown(),
  options: z.array(z.union([choiceSchema, z.looseObject({ options: z.array(choiceSchema) })])),
})

export const sessionOpenedSchema = z.looseObject({
  sessionId: z.string().min(1),
  configOptions: z
    .array(z.union([optionSchema, z.unknown()]))
    .nullish()
    .catch(null),
})

export interface ModelChoice {
  readonly configId: string
  readonly current: unknown
  readonly models: readonly string[]
}

/** The session option that chooses the model, when the agent offers one. */
export function modelChoice({ configOptions }: z.infer<typeof sessionOpenedSchema>): ModelChoice | undefined {
  for (const entry of configOptions ?? []) {
    const { success, data } = optionSchema.safeParse(entry)
    if (!success || data.category !== 'model') continue
    const models = data.options.flatMap((choice) =>
      'options' in choice && Array.isArray(choice.options)
        ? z.array(choiceSchema).parse(choice.options)
        : [choiceSchema.parse(choice)],
    )
    return { configId: data.id, current: data.currentValue, models: models.map(({ value }) => value) }
  }
  return undefined
}

const tokens = z.number().int().nonnegative().nullish().catch(null)
const promptedSchema = z.looseObject({
  stopReason: z.string(),
  /** Codex, and ACP's unstable part. */
  usage: z.looseObject({ inputTokens: tokens, outputTokens: tokens }).nullish().catch(null),
  /** Gemini CLI. */
  _meta: z
    .looseObject({
      quota: z
        .looseObject({ token_count: z.looseObject({ input_tokens: tokens, output_tokens: tokens }).nullish() })
        .nullish(),
    })
    .nullish()
    .catch(null),
})

/** How a turn ended and what it used; undefined when the answer is none of ACP's. */
export function readTurnEnd(answer: unknown): Pick<Turn, 'stop' | 'usage'> | undefined {
  const { success, data } = promptedSchema.safeParse(answer)
  const stop = success ? stops[data.stopReason] : undefined
  if (data === undefined || stop === undefined) return undefined
  const quota = data._meta?.quota?.token_count
  const inputTokens = data.usage?.inputTokens ?? quota?.input_tokens ?? null
  const outputTokens = data.usage?.outputTokens ?? quota?.output_tokens ?? null
  return { stop, usage: inputTokens === null && outputTokens === null ? null : { inputTokens, outputTokens } }
}

const stops: Readonly<Partial<Record<string, Turn['stop']>>> = {
  end_turn: 'end-turn',
  max_tokens: 'limit',
  max_turn_requests: 'limit',
  refusal: 'refusal',
  cancelled: 'cancelled',
}
