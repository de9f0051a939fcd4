import { z } from 'zod'
import { Fault } from '../domain/fault.ts'
import { paths } from '../domain/settings.ts'
import type { Judged } from '../ports/gate.ts'

/** What every entry of gaffer.yaml may say beside a gate's own options. */
const common = { gate: z.string().optional(), at: z.enum(['unit', 'final', 'both']).optional() }

/**
 * A gate's own options, from its entry in gaffer.yaml. A word that the gate does not know is an error: a misspelt
 * option must not leave a check out.
 * @throws Fault bad-settings
 */
export function parseOptions<Shape extends z.ZodRawShape>(
  judged: Pick<Judged, 'name' | 'options'>,
  shape: Shape,
): z.infer<z.ZodObject<Shape>> {
  const parsed = z.strictObject({ ...common, ...shape }).safeParse(judged.options)
  if (parsed.success) return parsed.data as z.infer<z.ZodObject<Shape>>
  throw new Fault('bad-settings', `gates.${judged.name} in ${paths.settings}: ${z.prettifyError(parsed.error)}`, {
    hint: `correct the entry gates.${judged.name} on the protected branch`,
  })
}

/** A command line. */
export const runOption = z.string().trim().min(1)
