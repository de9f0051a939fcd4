import { z } from 'zod'
import { emailSchema } from './actor.ts'
import type { Digest } from './ids.ts'
import { digestOfJson } from './json.ts'

/** One line of a list in a brief, with the line of the file it stands on (from 1). */
const lineSchema = z.strictObject({ text: z.string().min(1), line: z.number().int().positive() })

/** A promise the change has to keep. `test` names the test that shows it, or null: then behaviour is undefined. */
const acceptanceSchema = lineSchema.extend({ id: z.string().regex(/^A[1-9]\d*$/), test: z.string().nullable() })

/**
 * A thing the change must not do. Two forms are enforced by the `scope` gate; a `statement` is prose that the agent
 * is told and the reviewer reads.
 */
const neverSchema = z.discriminatedUnion('kind', [
  lineSchema.extend({ kind: z.literal('dependency'), name: z.string().min(1) }), // '*' is any new one
  lineSchema.extend({ kind: z.literal('path'), glob: z.string().min(1) }),
  lineSchema.extend({ kind: z.literal('statement') }),
])

/**
 * The **Brief**: the machine-readable statement of intent. `scope` are globs of what may be changed (empty: anything
 * the policy allows); money in US dollars.
 */
export const briefSchema = z.strictObject({
  title: z.string().min(1).max(200),
  type: z.enum(['feat', 'fix', 'refactor', 'perf', 'docs', 'test', 'build', 'ci', 'chore']),
  owner: emailSchema,
  feature: z.string().min(1).nullable(),
  agent: z.string().min(1).nullable(),
  scope: z.array(z.string().min(1)),
  budget: z.strictObject({ costUsd: z.number().positive().nullable(), tokens: z.number().int().positive().nullable() }),
  outcome: z.string().min(1),
  context: z.string(),
  acceptance: z.array(acceptanceSchema).min(1),
  failureModes: z.array(lineSchema),
  never: z.array(neverSchema),
  exemplars: z.array(lineSchema),
})

export type Brief = z.infer<typeof briefSchema>
export type AcceptanceLine = Brief['acceptance'][number]
export type NeverLine = Brief['never'][number]

export const digestOfBrief = (brief: Brief): Digest => digestOfJson(brief)

/** What is wrong (error: refuses) or weak (warning: shown) about a brief. */
export interface BriefProblem {
  readonly level: 'error' | 'warning'
  /** Line of the brief's file, from 1; null when it is about the whole. */
  readonly line: number | null
  readonly rule: string
  readonly message: string
}
