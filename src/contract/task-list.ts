import { z } from 'zod'
import { stateSchema, states, type State } from './words.ts'

/** `GET /api/tasks?state&after&limit`, newest change first; `after` is the `next` of the page before. */
export const taskListQuerySchema = z.strictObject({
  state: stateSchema.optional(),
  after: z.string().min(1).max(400).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})

export const taskRowSchema = z.object({
  id: z.string(),
  title: z.string(),
  state: stateSchema,
  owner: z.string(),
  agent: z.string(),
  unitsDone: z.number().int(),
  unitsTotal: z.number().int(),
  /** What it needs of a person, or null when nobody is waited for. */
  waitsFor: z.string().nullable(),
  openedAt: z.string(),
  changedAt: z.string(),
})
export type TaskRowOnTheWire = z.infer<typeof taskRowSchema>

const counts = Object.fromEntries(states.map((state) => [state, z.number().int()])) as Record<State, z.ZodNumber>
export const taskPageSchema = z.object({
  rows: z.array(taskRowSchema),
  next: z.string().nullable(),
  /** True counts of all tasks, by state; never of the page alone. */
  counts: z.object(counts),
})
export type TaskPageOnTheWire = z.infer<typeof taskPageSchema>
