import type { Brief } from '../../domain/brief.ts'
import { slug, unitId } from '../../domain/ids.ts'
import { planSchema, type Plan } from '../../domain/plan.ts'
import { planPrompt, planRepairPrompt, type PlanRequest } from '../prompts.ts'
import { readAnswer } from '../read-answer.ts'

/** One question to the planning agent; gives what it said. */
export type Ask = (prompt: string) => Promise<string>

export interface Proposal {
  readonly plan: Plan
  /** Where it came from: the agent's first answer, its second, or the brief alone. */
  readonly from: 'agent' | 'agent-repaired' | 'brief'
  readonly problem: string | null
}

/**
 * Asks for a plan, once more where the answer cannot be read, and then makes do with one unit: a plan is a hypothesis,
 * and the gates do not depend on it. Throws what `ask` throws.
 */
export async function proposePlan(request: PlanRequest, ask: Ask): Promise<Proposal> {
  const first = readPlan(await ask(planPrompt(request)), request.brief)
  if (first.kind === 'read') return { plan: first.value, from: 'agent', problem: null }
  const second = readPlan(await ask(planRepairPrompt(request.task, first.problem)), request.brief)
  if (second.kind === 'read') return { plan: second.value, from: 'agent-repaired', problem: first.problem }
  return { plan: oneUnitPlan(request.brief), from: 'brief', problem: second.problem }
}

function readPlan(said: string, brief: Brief): ReturnType<typeof readAnswer<Plan>> {
  const answer = readAnswer(said, planSchema)
  if (answer.kind !== 'read') return answer
  const known = new Set(brief.acceptance.map(({ id }) => id))
  const unknown = answer.value.units.flatMap(({ acceptance }) => acceptance.filter((id) => !known.has(id)))
  if (unknown.length > 0) return { kind: 'unreadable', problem: `the brief has no ${unknown.join(', ')}` }
  return answer
}

export const oneUnitPlan = (brief: Brief): Plan => ({
  summary: 'One unit, as the brief says it: no plan could be read from the agent.',
  units: [
    {
      id: unitId(slug(brief.title)),
      title: brief.title,
      goal: brief.outcome.slice(0, 4_000),
      acceptance: brief.acceptance.map(({ id }) => id),
      files: [],
      revises: null,
    },
  ],
})
