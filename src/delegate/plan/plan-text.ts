import type { Brief } from '../../domain/brief.ts'
import type { Plan } from '../../domain/plan.ts'
import type { UnitProgress } from '../../domain/task/task.ts'

/** `PLAN.md` as it stands on the task's branch; the host writes it, at every checkpoint. */
export function planText(brief: Brief, plan: Plan, units: readonly UnitProgress[]): string {
  const progress = units.length > 0 ? units : plan.units.map((unit): UnitProgress => ({ status: 'pending', unit }))
  return `# Plan: ${brief.title}

${plan.summary}

## Units

${progress.map(unitText).join('\n\n')}

## Acceptance

${brief.acceptance.map(({ id, text, test }) => `- **${id}** ${text} (${coverage(plan, id)}${test === null ? '; no test: undefined behaviour' : `; test: ${test}`})`).join('\n')}
`
}

const mark = { pending: ' ', 'under-way': ' ', checkpointed: 'x' } as const

const unitText = ({ unit, status }: UnitProgress, index: number): string =>
  [
    `${index + 1}. [${mark[status]}] **${unit.title}** (\`${unit.id}\`)`,
    ...indent(unit.goal),
    ...(unit.files.length > 0 ? [`   Files: ${unit.files.map((file) => `\`${file}\``).join(', ')}`] : []),
    ...(unit.acceptance.length > 0 ? [`   Delivers: ${unit.acceptance.join(', ')}`] : []),
    ...(unit.revises === null ? [] : [`   Sent back by a reviewer: \`${unit.revises}\``]),
  ].join('\n')

const indent = (text: string): string[] => text.split('\n').map((line) => `   ${line}`.trimEnd())

function coverage(plan: Plan, id: string): string {
  const units = plan.units.filter(({ acceptance }) => acceptance.includes(id)).map((unit) => unit.id)
  return units.length === 0 ? 'in no unit' : units.join(', ')
}
