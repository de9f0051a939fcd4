import { z } from 'zod'
import { commitSchema, emailSchema, unitIdSchema } from './words.ts'

const actor = emailSchema
const prose = z.string().trim().min(1).max(20_000)

/** `POST /api/tasks/:id/commands`: what a person wants of a task. `actor` is who they are. */
export const commandSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('approve-plan'), actor }),
  z.strictObject({ type: z.literal('send-plan-back'), actor, note: prose }),
  /** `unit` null: every unit that still waits. */
  z.strictObject({ type: z.literal('accept-unit'), actor, unit: unitIdSchema.nullable() }),
  z.strictObject({ type: z.literal('request-changes'), actor, unit: unitIdSchema, reason: prose }),
  z.strictObject({
    type: z.literal('sign'),
    actor,
    candidate: commitSchema,
    armoured: z
      .string()
      .max(20_000)
      .regex(
        /^-----BEGIN SSH SIGNATURE-----\n[A-Za-z0-9+/=\n]+\n-----END SSH SIGNATURE-----\s*$/,
        'is not an SSH signature',
      ),
  }),
  z.strictObject({ type: z.literal('answer'), actor, text: prose.nullable() }),
  z.strictObject({ type: z.literal('land'), actor }),
  z.strictObject({ type: z.literal('abandon'), actor, because: prose }),
])
export type CommandBody = z.infer<typeof commandSchema>
