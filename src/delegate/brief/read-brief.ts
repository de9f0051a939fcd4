import { LineCounter, parseDocument, type YAMLMap } from 'yaml'
import { z } from 'zod'
import { briefSchema, type Brief, type BriefProblem } from '../../domain/brief.ts'
import { readAcceptance, readLines, readNever, readSections, sectionNames, type Section } from './sections.ts'

/** A brief is read whole; a file over this is not one. */
export const briefLimitBytes = 256 * 1024

export type BriefRead =
  | { readonly kind: 'read'; readonly brief: Brief; readonly problems: readonly BriefProblem[] }
  | { readonly kind: 'unreadable'; readonly problems: readonly BriefProblem[] }

const error = (line: number | null, rule: string, message: string): BriefProblem => ({
  level: 'error',
  line,
  rule,
  message,
})

const list = z.union([z.string().transform((one) => [one]), z.array(z.string())])
const frontMatterSchema = z.strictObject({
  title: z.string(),
  type: briefSchema.shape.type.default('feat'),
  owner: briefSchema.shape.owner,
  feature: z.string().nullable().default(null),
  agent: z.string().nullable().default(null),
  scope: list.default([]),
  budget: z
    .strictObject({
      usd: z.number().positive().nullable().default(null),
      tokens: z.number().int().positive().nullable().default(null),
    })
    .prefault({}),
})

/**
 * Reads a brief's file: Markdown with YAML front matter. Pure. Everything that is wrong is listed at once, each with
 * its line; weak spots are found by `checkBrief`, not here.
 */
export function readBrief(text: string): BriefRead {
  if (Buffer.byteLength(text) > briefLimitBytes)
    return unreadable(
      error(
        null,
        'too-large',
        `is over ${briefLimitBytes / 1024} KiB; a brief says what is wanted, the repository has the rest`,
      ),
    )
  if (text.includes('\u0000')) return unreadable(error(null, 'not-text', 'is not a text file'))

  const { front, body, bodyLine, problem } = splitFrontMatter(text.replace(/^\uFEFF/, ''))
  if (problem !== null) return unreadable(problem)
  const meta = readFrontMatter(front)
  const sections = readSections(body, bodyLine)
  const problems = [...meta.problems, ...sectionProblems(sections)]
  if (meta.value === null || problems.some(({ level }) => level === 'error')) return unreadable(...problems)

  const { budget, ...fields } = meta.value
  const brief = briefSchema.safeParse({
    ...fields,
    budget: { costUsd: budget.usd, tokens: budget.tokens },
    outcome: sections.get('Outcome')?.text ?? '',
    context: sections.get('Context')?.text ?? '',
    acceptance: readAcceptance(sections.get('Acceptance')),
    failureModes: readLines(sections.get('Failure modes')),
    never: readNever(sections.get('Never')),
    exemplars: readLines(sections.get('Exemplars')),
  })
  if (brief.success) return { kind: 'read', brief: brief.data, problems }
  return unreadable(
    ...brief.error.issues.map((issue) => error(null, 'malformed', `${issue.path.join('.')} ${issue.message}`)),
  )
}

const unreadable = (...problems: readonly BriefProblem[]): BriefRead => ({ kind: 'unreadable', problems })

function splitFrontMatter(text: string): {
  front: string
  body: string
  bodyLine: number
  problem: BriefProblem | null
} {
  const lines = text.split('\n')
  const fence = (line: string | undefined): boolean => line?.trimEnd() === '---'
  const end = fence(lines[0]) ? lines.findIndex((line, index) => index > 0 && fence(line)) : -1
  if (end === -1) {
    const message = fence(lines[0])
      ? 'the front matter is not closed: add a line `---` after it'
      : 'starts with no front matter: begin with `---`, `title:`, `owner:`, `---`'
    return { front: '', body: text, bodyLine: 1, problem: error(1, 'no-front-matter', message) }
  }
  return {
    front: lines.slice(1, end).join('\n'),
    body: lines.slice(end + 1).join('\n'),
    bodyLine: end + 2,
    problem: null,
  }
}

function readFrontMatter(front: string): { value: z.infer<typeof frontMatterSchema> | null; problems: BriefProblem[] } {
  const counter = new LineCounter()
  const document = parseDocument(front, { lineCounter: counter, uniqueKeys: true, maxAliasCount: 0 } as never)
  const broken = document.errors.map((fault) =>
    error(counter.linePos(fault.pos[0]).line + 1, 'front-matter', fault.message.split('\n')[0] ?? 'is not YAML'),
  )
  if (broken.length > 0) return { value: null, problems: broken }

  const lineOf = (key: PropertyKey | undefined): number | null => {
    const pair = (document.contents as YAMLMap | null)?.items?.find((item) => String(item.key) === String(key))
    const range = (pair?.key as { range?: readonly number[] } | undefined)?.range
    return range?.[0] === undefined ? null : counter.linePos(range[0]).line + 1
  }
  const parsed = frontMatterSchema.safeParse(toPlain(document) ?? {})
  if (parsed.success) return { value: parsed.data, problems: [] }
  return { value: null, problems: parsed.error.issues.flatMap((issue) => explain(issue, lineOf)) }
}

/** YAML aliases can be bombs; a brief needs none, and one that uses them reads as empty. */
function toPlain(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch {
    return null
  }
}

function explain(issue: z.core.$ZodIssue, lineOf: (key: PropertyKey | undefined) => number | null): BriefProblem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) =>
      error(
        lineOf(issue.path[0] ?? key),
        'unknown-field',
        `\`${key}\` is not a field of a brief (${Object.keys(frontMatterSchema.shape).join(', ')})`,
      ),
    )
  const field = issue.path.join('.')
  const line = lineOf(issue.path[0])
  if (line === null)
    return [error(1, `missing-${field}`, `has no ${field}: ${missing[field] ?? 'add it to the front matter'}`)]
  return [error(line, `bad-${field}`, `${field}: ${issue.message}`)]
}

const missing: Readonly<Record<string, string>> = {
  owner: 'name the person who answers for it, `owner: you@example.com`',
  title: 'say in a few words what it delivers, `title: …`',
}

function sectionProblems(sections: ReadonlyMap<string, Section>): BriefProblem[] {
  const unknown = [...sections.values()].filter(
    ({ name }) => !sectionNames.includes(name as (typeof sectionNames)[number]),
  )
  const empty = (name: string): boolean => (sections.get(name)?.text ?? '') === ''
  return [
    ...unknown.map(({ name, line }) =>
      error(line, 'unknown-section', `\`${name}\` is not a section of a brief (${sectionNames.join(', ')})`),
    ),
    ...[...sections.values()]
      .filter(({ again }) => again !== null)
      .map(({ name, again }) => error(again, 'section-twice', `\`${name}\` is there twice`)),
    ...(empty('Outcome')
      ? [
          error(
            sections.get('Outcome')?.line ?? null,
            'missing-outcome',
            'has no Outcome: say what is true when it is done',
          ),
        ]
      : []),
    ...(readAcceptance(sections.get('Acceptance')).length === 0
      ? [
          error(
            sections.get('Acceptance')?.line ?? null,
            'missing-acceptance',
            'has no Acceptance: list what must hold, one bullet each',
          ),
        ]
      : []),
  ]
}
