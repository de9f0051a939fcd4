import { z } from 'zod'

/** Words that several routes share, as they look on the wire. */
export const states = [
  'drafted',
  'planned',
  'building',
  'reviewing',
  'signed',
  'landing',
  'landed',
  'blocked',
  'abandoned',
] as const
export const stateSchema = z.enum(states)
export type State = z.infer<typeof stateSchema>

/** What a person can say aloud; the pattern is the one of task ids everywhere. */
export const taskIdPattern = /^[a-z0-9]+(?:-[a-z0-9]+){1,7}$/
export const unitIdSchema = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'is not a unit id')
export const emailSchema = z
  .string()
  .max(320)
  .regex(/^[^\s@<>"]+@[^\s@<>"]+$/, 'is not an e-mail address')
export const commitSchema = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'is not a full commit id')

export const findingSchema = z.object({
  gate: z.string(),
  rule: z.string(),
  level: z.enum(['error', 'warning', 'note']),
  message: z.string(),
  place: z.object({ path: z.string(), line: z.number().int().nullable() }).nullable(),
  mend: z.string().nullable(),
})
export type FindingOnTheWire = z.infer<typeof findingSchema>

const faultSchema = z.object({ code: z.string(), message: z.string(), hint: z.string(), retryable: z.boolean() })

export const gateResultSchema = z.object({
  gate: z.string(),
  verdict: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('passed'), measures: z.record(z.string(), z.number()) }),
    z.object({
      kind: z.literal('failed'),
      findings: z.array(findingSchema),
      measures: z.record(z.string(), z.number()),
    }),
    z.object({ kind: z.literal('unavailable'), cause: faultSchema }),
    z.object({ kind: z.literal('not-applicable'), because: z.string() }),
  ]),
  durationMs: z.number(),
  cached: z.boolean(),
})
export type GateResultOnTheWire = z.infer<typeof gateResultSchema>
