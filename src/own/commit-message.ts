import type { Brief } from '../domain/brief.ts'
import { slug } from '../domain/ids.ts'
import { oneLine, visible } from '../domain/visible.ts'
import { unitsOf, type Task } from '../domain/task/task.ts'
import type { Person } from '../ports/repository.ts'

/** The trailers of a commit that lands. */
export const trailerNames = {
  task: 'Gaffer-Task',
  brief: 'Gaffer-Brief',
  owner: 'Gaffer-Owner',
  agent: 'Gaffer-Agent',
} as const

export const gafferPerson: Person = { name: 'Gaffer', email: 'gaffer@gaffer.invalid' }

/** The author of what an agent built. `.invalid` never is anybody's address (RFC 2606). */
export const agentPerson = (agent: string): Person => ({
  name: `${oneLine(agent).replaceAll(/[<>]/g, '')} (agent)`,
  email: `agent+${slug(agent)}@gaffer.invalid`,
})

/** The message of the one commit of a task: Conventional Commits, with what was built and who answers for it. */
export function landingMessage(task: Task): string {
  const units = unitsOf(task).map(({ unit }) => `- ${oneLine(unit.title)} (${unit.id})`)
  return [
    subjectOf(task.brief),
    prose(task.brief.outcome),
    ['Units:', ...units].join('\n'),
    [
      `${trailerNames.task}: ${task.id}`,
      `${trailerNames.brief}: ${task.briefDigest}`,
      `${trailerNames.owner}: ${task.brief.owner}`,
      `${trailerNames.agent}: ${oneLine(task.agent)}`,
    ].join('\n'),
  ].join('\n\n')
}

export function subjectOf({ type, feature, title }: Brief): string {
  const scope = feature === null ? '' : /^[\w./ -]+$/.test(feature) ? `(${feature})` : `(${slug(feature)})`
  return `${type}${scope}: ${oneLine(title)}`
}

/** The values of a trailer in the last paragraph of a message: where git looks, and where prose cannot reach. */
export function trailer(message: string, name: string): readonly string[] {
  const last =
    message
      .trimEnd()
      .split(/\n\s*\n/)
      .at(-1) ?? ''
  return last.split('\n').flatMap((line) => (line.startsWith(`${name}: `) ? [line.slice(name.length + 2).trim()] : []))
}

/** Whether a message claims, anywhere in it, to be of a task. */
export const claimsTask = (message: string): boolean => /^\s*gaffer-task\s*:/im.test(message)

const prose = (text: string): string => visible(text).trim()
