import { z } from 'zod'
import type { UnitId } from './ids.ts'
import { oneLine, visible } from './visible.ts'

const unitIdSchema = z
  .string()
  .max(64)
  .refine((text): text is UnitId => /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(text), 'is not kebab-case')

/**
 * A **Unit** is one logical step (a function, a class, a migration, a route) with its own acceptance; it is the size
 * of one checkpoint and of one review. `revises` names the unit that a reviewer sent back.
 */
export const unitSchema = z.strictObject({
  id: unitIdSchema,
  title: z.string().transform(oneLine).pipe(z.string().min(1).max(200)),
  goal: z.string().transform(visible).pipe(z.string().min(1).max(4_000)),
  /** Ids of the brief's acceptance lines this unit delivers. */
  acceptance: z.array(z.string().regex(/^A[1-9]\d*$/)),
  /** Paths the planner expects to change; a hint for people, not a limit. */
  files: z.array(z.string().transform(oneLine).pipe(z.string().min(1))).max(200),
  revises: unitIdSchema.nullable().default(null),
})
export type Unit = z.infer<typeof unitSchema>

/** The **Plan**: the ordered units that deliver the brief. */
export const planSchema = z
  .strictObject({
    summary: z.string().transform(visible).pipe(z.string().min(1).max(4_000)),
    units: z.array(unitSchema).min(1).max(40),
  })
  .superRefine(({ units }, context) => {
    const seen = new Set<string>()
    for (const [index, unit] of units.entries()) {
      if (seen.has(unit.id))
        context.addIssue({ code: 'custom', path: ['units', index, 'id'], message: `${unit.id} is there twice` })
      seen.add(unit.id)
    }
  })
export type Plan = z.infer<typeof planSchema>

/** The agent's own account of a unit: claims for the reviewer, never evidence. */
export const answersSchema = z.strictObject({
  why: z.string().max(8_000),
  scale: z.string().max(8_000),
  rules: z.string().max(8_000),
})
export type Answers = z.infer<typeof answersSchema>

export const questions: Readonly<Record<keyof Answers, string>> = {
  why: 'Why this structure, over the alternatives?',
  scale: 'What does it cost at scale?',
  rules: 'How does it keep to the security and dependency rules?',
}
