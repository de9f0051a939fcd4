import { z } from 'zod'
import { taskRowSchema } from './task-list.ts'
import { findingSchema, gateResultSchema } from './words.ts'

const line = z.object({ text: z.string(), line: z.number().int() })

const briefSchema = z.object({
  title: z.string(),
  type: z.string(),
  owner: z.string(),
  feature: z.string().nullable(),
  scope: z.array(z.string()),
  budget: z.object({ costUsd: z.number().nullable(), tokens: z.number().nullable() }),
  outcome: z.string(),
  context: z.string(),
  acceptance: z.array(z.object({ id: z.string(), text: z.string(), test: z.string().nullable() })),
  failureModes: z.array(line),
  never: z.array(line),
  exemplars: z.array(line),
})

/** What the agent said about its own unit: claims, never evidence. */
export const claimsSchema = z.object({ why: z.string(), scale: z.string(), rules: z.string() })
export type Claims = z.infer<typeof claimsSchema>

const reviewSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('waits') }),
  z.object({ kind: z.literal('not-asked') }),
  z.object({ kind: z.literal('revised'), by: z.string(), reason: z.string() }),
  z.object({ kind: z.literal('accepted'), by: z.string() }),
  z.object({ kind: z.literal('changes-requested'), by: z.string(), reason: z.string() }),
])

export const unitSchema = z.object({
  id: z.string(),
  title: z.string(),
  goal: z.string(),
  acceptance: z.array(z.string()),
  files: z.array(z.string()),
  revises: z.string().nullable(),
  status: z.enum(['pending', 'under-way', 'checkpointed']),
  rounds: z.array(
    z.object({
      number: z.number().int(),
      outcome: z.enum(['passed', 'failed', 'unavailable']),
      findings: z.array(findingSchema),
    }),
  ),
  checkpoint: z
    .object({
      commit: z.string(),
      tree: z.string(),
      results: z.array(gateResultSchema),
      claims: claimsSchema.nullable(),
    })
    .nullable(),
  review: reviewSchema,
})
export type UnitOnTheWire = z.infer<typeof unitSchema>

/** `GET /api/tasks/:id`, and what a command answers with: the task as people look at it. */
export const taskDetailSchema = z.object({
  row: taskRowSchema,
  version: z.number().int(),
  /** Who acts next. */
  turn: z.enum(['person', 'gaffer', 'nobody']),
  next: z.object({
    says: z.string(),
    /** The command that does it, ready to be typed; null when there is nothing to type. */
    command: z.string().nullable(),
  }),
  brief: briefSchema,
  hub: z.string(),
  branch: z.string(),
  base: z.string(),
  delegatedBy: z.string(),
  plan: z.object({ summary: z.string() }).nullable(),
  units: z.array(unitSchema),
  candidate: z
    .object({
      commit: z.string(),
      tree: z.string(),
      base: z.string(),
      evidence: z.array(
        z.object({
          gate: z.string(),
          digest: z.string(),
          /** null where the verdict was not kept beside the digest: look at the evidence itself. */
          verdict: z.enum(['passed', 'not-applicable']).nullable(),
        }),
      ),
    })
    .nullable(),
  signedBy: z.string().nullable(),
  landing: z.object({ commit: z.string(), tree: z.string(), base: z.string() }).nullable(),
  blocked: z.object({ kind: z.string(), says: z.array(z.string()), unblocks: z.string() }).nullable(),
  abandonedBecause: z.string().nullable(),
})
export type TaskDetail = z.infer<typeof taskDetailSchema>
