import { z } from 'zod'

/** What an LCOV tracefile covers, summed over its files. */
export interface Lcov {
  readonly files: readonly LcovFile[]
}
export interface LcovFile {
  readonly path: string
  /** Times each instrumented line ran, by line number. */
  readonly lines: ReadonlyMap<number, number>
}

const numbers = z.tuple([z.coerce.number().int().positive(), z.coerce.number().min(0)])

/**
 * Reads the `SF`, `DA` and `end_of_record` lines of an LCOV tracefile (geninfo(1)); the other records are sums of
 * them or about functions and branches. undefined when it is no tracefile or ends in the middle of a record.
 */
export function parseLcov(text: string): Lcov | undefined {
  const files: LcovFile[] = []
  let open: { path: string; lines: Map<number, number> } | undefined
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    if (line === 'end_of_record') {
      if (open === undefined) return undefined
      files.push(open)
      open = undefined
    } else if (line.startsWith('SF:')) {
      if (open !== undefined) return undefined
      open = { path: line.slice(3), lines: new Map() }
    } else if (line.startsWith('DA:')) {
      const parsed = numbers.safeParse(line.slice(3).split(',').slice(0, 2))
      if (open === undefined || !parsed.success) return undefined
      const [number, hits] = parsed.data
      open.lines.set(number, (open.lines.get(number) ?? 0) + hits)
    } else if (!/^[A-Z]{2,5}:/.test(line)) return undefined
  }
  return open === undefined ? { files } : undefined
}
