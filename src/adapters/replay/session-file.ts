import { isNode, LineCounter, parseDocument, stringify, type Document } from 'yaml'
import { z } from 'zod'
import { Fault } from '../../domain/fault.ts'
import type { ReplaySession, Step } from './step.ts'

const path = z.string().min(1)
/** ACP's kinds of tools. */
const toolKinds = [
  'read',
  'edit',
  'delete',
  'move',
  'search',
  'execute',
  'think',
  'fetch',
  'switch_mode',
  'other',
] as const
const steps = z.lazy(() => z.array(stepSchema))

/** Each kind of step, by the one key its entry has. */
const stepSchemas = {
  say: z.string().transform((text): Step => ({ kind: 'say', text })),
  think: z.string().transform((text): Step => ({ kind: 'think', text })),
  answer: z.json().transform((value): Step => ({ kind: 'answer', value })),
  write: z.strictObject({ path, content: z.string() }).transform((write): Step => ({ kind: 'write', ...write })),
  edit: z
    .strictObject({ path, find: z.string().min(1), replace: z.string() })
    .transform((edit): Step => ({ kind: 'edit', ...edit })),
  delete: path.transform((place): Step => ({ kind: 'delete', path: place })),
  symlink: z.strictObject({ path, target: path }).transform((symlink): Step => ({ kind: 'symlink', ...symlink })),
  run: z
    .string()
    .min(1)
    .transform((command): Step => ({ kind: 'run', command })),
  ask: z
    .strictObject({
      title: z.string().min(1),
      kind: z.enum(toolKinds).default('other'),
      path: path.nullable().default(null),
      onAllow: steps.default([]),
      onDeny: steps.default([]),
    })
    .transform(({ kind: about, ...ask }): Step => ({ kind: 'ask', about, ...ask })),
  wait: z
    .number()
    .min(0)
    .max(3_600)
    .transform((seconds): Step => ({ kind: 'wait', seconds })),
  crash: z
    .number()
    .int()
    .min(0)
    .max(255)
    .transform((code): Step => ({ kind: 'crash', code })),
  hang: z.literal(true).transform((): Step => ({ kind: 'hang' })),
  spawn: z
    .string()
    .min(1)
    .transform((command): Step => ({ kind: 'spawn', command })),
  flood: z
    .number()
    .int()
    .positive()
    .transform((bytes): Step => ({ kind: 'flood', bytes })),
} satisfies Record<Step['kind'], z.ZodType<Step>>

const isStepName = (name: string): name is Step['kind'] => Object.hasOwn(stepSchemas, name)

const stepSchema: z.ZodType<Step> = z.record(z.string(), z.unknown()).transform((entry, context) => {
  const [name, ...others] = Object.keys(entry)
  if (name === undefined || others.length > 0 || !isStepName(name)) {
    const known = Object.keys(stepSchemas).join(', ')
    context.addIssue({ code: 'custom', message: `a step has exactly one key of ${known}` })
    return z.NEVER
  }
  const parsed = stepSchemas[name].safeParse(entry[name])
  if (parsed.success) return parsed.data
  for (const issue of parsed.error.issues)
    context.addIssue({ code: 'custom', message: issue.message, path: [name, ...placeOf(issue)] })
  return z.NEVER
})

const sessionSchema = z
  .strictObject({
    version: z.literal(1),
    model: z.string().min(1).default('replay'),
    turns: z.array(z.strictObject({ when: z.string().min(1).nullable().default(null), do: z.array(stepSchema) })),
  })
  .transform(({ model, turns }): ReplaySession => ({
    model,
    turns: turns.map((turn) => ({ when: turn.when, steps: turn.do })),
  }))

/**
 * Reads a session file. `name` is what it is called in messages.
 * @throws Fault bad-input, naming every problem with its line
 */
export function parseSession(text: string, name: string): ReplaySession {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  const unreadable = document.errors.map(({ pos, message }) => problem(lines.linePos(pos[0]).line, message))
  if (unreadable.length > 0) throw unusable(name, unreadable)
  const parsed = sessionSchema.safeParse(valueOf(document, name))
  if (parsed.success) return parsed.data
  throw unusable(
    name,
    parsed.error.issues.map((issue) => {
      const place = placeOf(issue)
      return problem(lineOf(document, place, lines), `${place.join('.') || 'the file'}: ${issue.message}`)
    }),
  )
}

/** The text of a session file; parsing it gives the same session. */
export function formatSession({ model, turns }: ReplaySession): string {
  const entries = turns.map(({ when, steps: done }) => ({ ...(when === null ? {} : { when }), do: done.map(entryOf) }))
  return stringify({ version: 1, model, turns: entries }, { lineWidth: 0, aliasDuplicateObjects: false })
}

function entryOf(step: Step): Record<string, unknown> {
  switch (step.kind) {
    case 'say':
    case 'think':
      return { [step.kind]: step.text }
    case 'answer':
      return { answer: step.value }
    case 'delete':
      return { delete: step.path }
    case 'run':
    case 'spawn':
      return { [step.kind]: step.command }
    case 'wait':
      return { wait: step.seconds }
    case 'crash':
      return { crash: step.code }
    case 'hang':
      return { hang: true }
    case 'flood':
      return { flood: step.bytes }
    case 'write':
    case 'edit':
    case 'symlink': {
      const { kind, ...rest } = step
      return { [kind]: rest }
    }
    case 'ask': {
      const { title, about, path: place, onAllow, onDeny } = step
      return { ask: { title, kind: about, path: place, onAllow: onAllow.map(entryOf), onDeny: onDeny.map(entryOf) } }
    }
  }
}

function valueOf(document: Document, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw unusable(name, [error instanceof Error ? error.message : String(error)])
  }
}

/** Where an issue is; a key that should not be there is at itself, not at what it is in. */
const placeOf = (issue: z.core.$ZodIssue): readonly PropertyKey[] =>
  issue.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path

/** The line of the innermost thing on a path that is there. */
function lineOf(document: Document, place: readonly PropertyKey[], lines: LineCounter): number {
  for (let length = place.length; length >= 0; length -= 1) {
    const node: unknown = length === 0 ? document.contents : document.getIn(place.slice(0, length), true)
    if (isNode(node) && node.range !== null && node.range !== undefined) return lines.linePos(node.range[0]).line
  }
  return 1
}

const problem = (line: number, message: string): string => `line ${line}: ${message}`

const unusable = (name: string, problems: readonly string[]): Fault =>
  new Fault('bad-input', `${name} is no session file; ${problems.slice(0, 10).join('; ')}`, {
    hint: 'mend these lines; docs/guides/connect-an-agent.md shows the format',
  })
