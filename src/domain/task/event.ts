import { z } from 'zod'
import { actorSchema, emailSchema } from '../actor.ts'
import { briefSchema } from '../brief.ts'
import { objectSchemas } from '../evidence.ts'
import { isTaskId, type TaskId, type UnitId } from '../ids.ts'
import { answersSchema, planSchema, unitSchema } from '../plan.ts'
import { faultSchema, findingSchema, gateResultSchema } from '../verdict.ts'
import type { BlockReason } from './task.ts'

const { commit, tree, digest } = objectSchemas
const id = z.string().refine((text): text is TaskId => isTaskId(text), 'is not a task id')
const unit = z.string().refine((text): text is UnitId => /^[a-z0-9-]+$/.test(text), 'is not a unit id')
const evidence = z
  .array(z.strictObject({ gate: z.string(), digest, verdict: z.enum(['passed', 'not-applicable']).optional() }))
  .readonly()

const candidateSchema = z.strictObject({ commit, tree, base: commit, evidence, statement: z.string() })
const attemptSchema = z.strictObject({ commit, tree, base: commit })

const problemSchema = z.strictObject({
  kind: z.enum(['nested-repository', 'symlink-leaves', 'too-large', 'special-file']),
  path: z.string(),
  detail: z.string(),
})

export const blockReasonSchema: z.ZodType<BlockReason> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rounds-used-up'), unit, findings: z.array(findingSchema).readonly() }),
  z.strictObject({ kind: z.literal('gate-unavailable'), gate: z.string(), cause: faultSchema }),
  z.strictObject({ kind: z.literal('fault'), during: z.string(), cause: faultSchema }),
  z.strictObject({ kind: z.literal('final-gates-failed'), findings: z.array(findingSchema).readonly() }),
  z.strictObject({ kind: z.literal('conflict'), paths: z.array(z.string()).readonly() }),
  z.strictObject({ kind: z.literal('agent-asks'), question: z.string() }),
  z.strictObject({ kind: z.literal('hub-refused'), message: z.string() }),
])

/** What happened to a task, in the past tense. Stored for ever: a member may be added, never changed or removed. */
export const taskEventSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('task-drafted'),
    id,
    brief: briefSchema,
    briefDigest: digest,
    hub: z.string().min(1),
    branch: z.string().min(1),
    base: commit,
    agent: z.string().min(1),
    delegatedBy: actorSchema,
    rules: z.strictObject({ planApproval: z.boolean(), unitReview: z.boolean(), rounds: z.number().int().positive() }),
  }),
  z.strictObject({ type: z.literal('plan-proposed'), plan: planSchema }),
  z.strictObject({ type: z.literal('plan-approved') }),
  z.strictObject({ type: z.literal('plan-sent-back'), note: z.string().min(1) }),
  z.strictObject({ type: z.literal('unit-started'), unit }),
  z.strictObject({
    type: z.literal('round-judged'),
    unit,
    round: z.strictObject({
      number: z.number().int().positive(),
      tree,
      outcome: z.enum(['passed', 'failed', 'unavailable']),
      findings: z.array(findingSchema).readonly(),
      problems: z.array(problemSchema).readonly().optional(),
    }),
  }),
  z.strictObject({
    type: z.literal('unit-checkpointed'),
    unit,
    checkpoint: z.strictObject({
      commit,
      tree,
      results: z.array(gateResultSchema).readonly(),
      answers: answersSchema.nullable(),
    }),
  }),
  z.strictObject({ type: z.literal('unit-accepted'), unit, by: emailSchema }),
  z.strictObject({
    type: z.literal('changes-requested'),
    unit,
    by: emailSchema,
    reason: z.string().min(1),
    revision: unitSchema,
  }),
  z.strictObject({ type: z.literal('candidate-prepared'), candidate: candidateSchema }),
  z.strictObject({ type: z.literal('signed'), signature: z.strictObject({ by: emailSchema, armoured: z.string() }) }),
  z.strictObject({ type: z.literal('landing-started'), attempt: attemptSchema }),
  z.strictObject({ type: z.literal('landing-stopped') }),
  z.strictObject({ type: z.literal('candidate-withdrawn'), because: z.string().min(1) }),
  z.strictObject({ type: z.literal('landed'), commit }),
  z.strictObject({ type: z.literal('blocked'), reason: blockReasonSchema, unblocks: z.string().min(1) }),
  z.strictObject({ type: z.literal('unblocked'), guidance: z.string().nullable(), revision: unitSchema.nullable() }),
  z.strictObject({ type: z.literal('abandoned'), because: z.string().min(1) }),
])

export type TaskEvent = z.infer<typeof taskEventSchema>
export type TaskEventOf<Type extends TaskEvent['type']> = Extract<TaskEvent, { type: Type }>
