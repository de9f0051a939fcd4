import { z } from 'zod'
import { problemSchema } from './problem.ts'
import { emailSchema } from './words.ts'

/** Most bytes of a brief. The reader of briefs says so in its own words; the schema only keeps floods out. */
export const briefLimitBytes = 256 * 1024

/**
 * `POST /api/tasks`: opens a task from a brief. Needs an `Idempotency-Key` header: the same key opens one task,
 * however often it is sent.
 */
export const delegateRequestSchema = z.strictObject({
  brief: z
    .string()
    .min(1)
    .max(4 * briefLimitBytes),
  /** Absolute path, or URL, of the repository to deliver into. */
  hub: z.string().min(1).max(4_096),
  agent: z.string().min(1).max(200).nullable().default(null),
  owner: emailSchema.nullable().default(null),
  actor: emailSchema,
})
export type DelegateBody = z.input<typeof delegateRequestSchema>

export const idempotencyKeySchema = z.string().regex(/^[\x21-\x7e]{8,200}$/, 'is not 8 to 200 visible characters')

/** Nothing stands between agents and the machine: why, and what to do about it. */
export const unconfinedSchema = z.object({ why: z.string(), todo: z.string() })
export type Unconfined = z.infer<typeof unconfinedSchema>

export const delegatedSchema = z.object({
  task: z.string(),
  /** Warnings: a brief with errors opens nothing. */
  problems: problemSchema.shape.problems.unwrap(),
  /** null: the agents of the server that opened it are confined. */
  unconfined: unconfinedSchema.nullable(),
})
export type DelegatedOnTheWire = z.infer<typeof delegatedSchema>
