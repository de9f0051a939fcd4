import { z } from 'zod'

/**
 * What every route answers when it does not do what was asked: application/problem+json (RFC 9457). `title` says
 * what did not happen, `detail` why, `todo` what a person does about it.
 */
export const problemSchema = z.object({
  /** `urn:gaffer:refused`, `urn:gaffer:fault:<code>`, `urn:gaffer:not-found` … */
  type: z.string(),
  title: z.string(),
  detail: z.string(),
  todo: z.string(),
  status: z.number().int(),
  /** Whether the same request may succeed later with nothing changed. */
  retryable: z.boolean().default(false),
  /** What is wrong with a brief, or with a request's members, line by line. */
  problems: z
    .array(
      z.object({
        level: z.enum(['error', 'warning']),
        line: z.number().int().nullable(),
        rule: z.string(),
        message: z.string(),
      }),
    )
    .optional(),
})
export type Problem = z.infer<typeof problemSchema>
export type BriefProblemOnTheWire = NonNullable<Problem['problems']>[number]

export const problemType = 'application/problem+json'
export const problemTypes = {
  refused: 'urn:gaffer:refused',
  briefRefused: 'urn:gaffer:brief-refused',
  notFound: 'urn:gaffer:not-found',
  badRequest: 'urn:gaffer:bad-request',
  tooLarge: 'urn:gaffer:too-large',
  unauthenticated: 'urn:gaffer:unauthenticated',
  forbidden: 'urn:gaffer:forbidden',
  bug: 'urn:gaffer:bug',
  fault: (code: string): string => `urn:gaffer:fault:${code}`,
} as const
