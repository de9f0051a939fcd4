import { z } from 'zod'

const skippedSchema = z.object({ name: z.string(), file: z.string(), note: z.string().nullable() })

/**
 * What `skipped-reporter.ts` wrote, as lines for people: `NAME — why`. A suite that is skipped as a whole has no note
 * to give; there the reason stands in brackets in its name, and where it does not, that is said.
 */
export const showSkipped = (lines: string): readonly string[] =>
  lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { name, file, note } = skippedSchema.parse(JSON.parse(line))
      const inName = /\((?:skipped: |needs )[^()]*\)/.test(name)
      return `${name} — ${note ?? (inName ? 'as its name says' : `no reason is given in ${file}`)}`
    })
