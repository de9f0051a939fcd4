import type { Brief } from '../domain/brief.ts'
import type { TaskId, UnitId } from '../domain/ids.ts'
import { questions, type Unit } from '../domain/plan.ts'
import type { Settings } from '../domain/settings.ts'
import type { Finding } from '../domain/verdict.ts'

/**
 * Every prompt starts with one line that says in key=value what it is, so that a recorded session can be played again
 * and a transcript can be found: `[gaffer] task=orders-endpoint-7k2 stage=build unit=order-store round=1`.
 */
export type Stage =
  | { readonly stage: 'plan'; readonly round: number }
  | { readonly stage: 'build'; readonly unit: UnitId; readonly round: number }
  | { readonly stage: 'questions'; readonly unit: UnitId }

export function header(task: TaskId, stage: Stage): string {
  const fields = Object.entries({ task, ...stage }).map(([key, value]) => `${key}=${value}`)
  return `[gaffer] ${fields.join(' ')}`
}

const bullets = (lines: readonly string[]): string =>
  lines.length === 0 ? '- none stated' : lines.map((line) => `- ${line}`).join('\n')

const intent = (brief: Brief): string => `# ${brief.title}

## Outcome
${brief.outcome}

## Context
${brief.context || 'None given.'}

## Acceptance
${bullets(brief.acceptance.map(({ id, text, test }) => `${id}: ${text}${test === null ? '' : ` (shown by the test ${test})`}`))}

## Failure modes
${bullets(brief.failureModes.map(({ text }) => text))}

## Never
${bullets(brief.never.map(({ text }) => text))}

## Exemplars
${bullets(brief.exemplars.map(({ text }) => text))}`

const groundRules = (brief: Brief, settings: Settings): string => `## Rules
- Change only: ${brief.scope.length === 0 ? 'what the outcome needs' : brief.scope.join(', ')}.
- Read, and never change: ${[...settings.contracts, '.gaffer/**'].join(', ')}. Do not weaken, skip or delete tests.
- These gates judge the files as you leave them: ${[...new Set([...Object.keys(settings.gates), 'contracts', 'scope', 'secrets'])].toSorted().join(', ')}.
- Do not commit, and leave PLAN.md and the changelog alone: the host keeps them.`

export interface PlanRequest {
  readonly task: TaskId
  readonly brief: Brief
  readonly settings: Settings
  /** Paths of the tree, as many as are worth showing. */
  readonly files: readonly string[]
  readonly notes: readonly string[]
}

export const planPrompt = ({
  task,
  brief,
  settings,
  files,
  notes,
}: PlanRequest): string => `${header(task, { stage: 'plan', round: 1 })}

Plan this change; change nothing yet. Split it into logical units (a function, a class, a migration, a route), each
small enough to review by itself, in the order they are built. Each unit leaves the whole repository working.

${intent(brief)}

${groundRules(brief, settings)}
${notes.length === 0 ? '' : `\n## What people said about the last plan\n${bullets(notes)}\n`}
## Files
${bullets(files)}

Answer with one JSON object in a \`\`\`json block, and nothing else:
${planShape}
`

const planShape = `{ "summary": "how it will be done, and why so",
  "units": [{ "id": "kebab-case", "title": "…", "goal": "what this unit does", "acceptance": ["A1"], "files": ["src/…"] }] }`

export const planRepairPrompt = (task: TaskId, problem: string): string => `${header(task, { stage: 'plan', round: 2 })}

That answer could not be read as a plan: ${problem}

Answer again, with one JSON object in a \`\`\`json block, and nothing else:
${planShape}
`

export interface UnitRequest {
  readonly task: TaskId
  readonly brief: Brief
  readonly settings: Settings
  readonly unit: Unit
  readonly round: number
  readonly done: readonly Unit[]
  readonly guidance: readonly string[]
  readonly findings: readonly Finding[]
}

export function unitPrompt({ task, brief, settings, unit, round, done, guidance, findings }: UnitRequest): string {
  const wanted = brief.acceptance.filter(({ id }) => unit.acceptance.includes(id))
  return `${header(task, { stage: 'build', unit: unit.id, round })}

Build this one unit, completely, with its tests; leave the other units alone.

## Unit: ${unit.title}
${unit.goal}
${unit.revises === null ? '' : `\nA reviewer sent back what was built as \`${unit.revises}\`, with the words above.\n`}
It has to hold:
${bullets(wanted.map(({ id, text, test }) => `${id}: ${text}${test === null ? '' : ` (shown by the test ${test})`}`))}

Built before it: ${done.length === 0 ? 'nothing' : done.map(({ id, title }) => `${title} (${id})`).join('; ')}.
${guidance.length === 0 ? '' : `\n## What people said\n${bullets(guidance)}\n`}${findings.length === 0 ? '' : `\n## What the gates found in the last round\n${sayFindings(findings)}\n`}
${intent(brief)}

${groundRules(brief, settings)}
`
}

/** The next prompt of a session that still knows the unit. */
export const findingsPrompt = (
  task: TaskId,
  unit: UnitId,
  round: number,
  findings: readonly Finding[],
): string => `${header(task, { stage: 'build', unit, round })}

The gates refused this. Mend what they found, and only that; a finding is not answered by changing the check.

${sayFindings(findings)}
`

const findingsShown = 40

export function sayFindings(findings: readonly Finding[]): string {
  const shown = findings.slice(0, findingsShown).map(({ gate, rule, message, place, mend }) => {
    const where = place === null ? '' : ` ${place.path}${place.line === null ? '' : `:${place.line}`}`
    return `${gate}/${rule}${where}: ${message}${mend === null ? '' : `. To mend: ${mend}`}`
  })
  const more = findings.length - shown.length
  return bullets(more > 0 ? [...shown, `and ${more} more`] : shown)
}

export const questionsPrompt = (
  task: TaskId,
  unit: Unit,
): string => `${header(task, { stage: 'questions', unit: unit.id })}

The gates passed ${unit.title}. Change nothing. A reviewer will read your answers beside the code, as your claims:
${bullets(Object.entries(questions).map(([key, question]) => `${key}: ${question}`))}

Answer with one JSON object in a \`\`\`json block: { "why": "…", "scale": "…", "rules": "…" }
`
