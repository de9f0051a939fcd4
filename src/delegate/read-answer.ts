import type { z } from 'zod'

export type Answer<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'unreadable'; readonly problem: string }

/** Text longer than this is not searched for an answer. */
const limit = 1_000_000

/**
 * The JSON value an agent answered with: its last fenced block that is JSON, else the outermost braces. What it said
 * is outside data: parsed against a schema, and a miss is a value that can be told back to the agent.
 */
export function readAnswer<T>(said: string, schema: z.ZodType<T>): Answer<T> {
  if (said.length > limit) return { kind: 'unreadable', problem: 'it is too long' }
  const candidates = [...fencedBlocks(said).toReversed(), outermost(said)]
  let problem = 'it holds no JSON object'
  for (const candidate of candidates) {
    const json = parse(candidate)
    if (json === undefined) continue
    const read = schema.safeParse(json)
    if (read.success) return { kind: 'read', value: read.data }
    problem = read.error.issues
      .slice(0, 5)
      .map((issue) => `${issue.path.join('.') || 'the object'}: ${issue.message}`)
      .join('; ')
  }
  return { kind: 'unreadable', problem }
}

/** Line by line, so that a long text with no end of a block costs no more than its length. */
function fencedBlocks(said: string): string[] {
  const blocks: string[] = []
  let open: string[] | null = null
  for (const line of said.split('\n')) {
    if (!line.trimStart().startsWith('```')) {
      open?.push(line)
    } else if (open === null) {
      open = []
    } else {
      blocks.push(open.join('\n'))
      open = null
    }
  }
  return open === null ? blocks : [...blocks, open.join('\n')]
}

const outermost = (said: string): string => said.slice(Math.max(said.indexOf('{'), 0), said.lastIndexOf('}') + 1)

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
