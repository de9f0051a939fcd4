import { z } from 'zod'
import { isEmail, type Email } from './ids.ts'

/** Who did something. Every event names one; an agent is never a person, and neither is the system. */
export type Actor =
  | { readonly kind: 'person'; readonly email: Email }
  | { readonly kind: 'agent'; readonly name: string; readonly model: string | null }
  | { readonly kind: 'system'; readonly part: string }

export const emailSchema = z.string().refine((text): text is Email => isEmail(text), 'is not an e-mail address')

export const actorSchema: z.ZodType<Actor> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('person'), email: emailSchema }),
  z.strictObject({ kind: z.literal('agent'), name: z.string().min(1), model: z.string().nullable() }),
  z.strictObject({ kind: z.literal('system'), part: z.string().min(1) }),
])

export const person = (address: Email): Actor => ({ kind: 'person', email: address })
export const system = (part: string): Actor => ({ kind: 'system', part })

export const sayActor = (actor: Actor): string => {
  switch (actor.kind) {
    case 'person':
      return actor.email
    case 'agent':
      return actor.model === null ? actor.name : `${actor.name} (${actor.model})`
    case 'system':
      return 'gaffer'
  }
}
