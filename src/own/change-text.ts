import { questions, type Answers } from '../domain/plan.ts'
import { unitsOf, workOf, type Task, type UnitProgress, type UnitReview } from '../domain/task/task.ts'
import type { GateResult } from '../domain/verdict.ts'

/**
 * The pull-request text, in Markdown: what was asked, what was built, what was checked, who looked at it, and, set
 * apart and marked, what the agent claims. Pure: the same task and results give the same bytes.
 */
export function changeText(task: Task, results: readonly GateResult[]): string {
  const { brief } = task
  const parts = [
    `# ${line(brief.title)}`,
    `Task \`${task.id}\` · owner ${line(brief.owner)} · built by ${line(task.agent)} · brief \`${task.briefDigest}\``,
    section('Outcome', quoteless(brief.outcome)),
    section(
      'Acceptance',
      brief.acceptance.map(({ id, text, test }) => `- **${id}** ${line(text)} ${covered(test)}`),
    ),
    brief.failureModes.length > 0 && section('Failure modes', bullets(brief.failureModes)),
    brief.never.length > 0 && section('Never', bullets(brief.never)),
    section(
      'Units',
      unitsOf(task).map((unit, index) => unitLine(unit, index, reviewsOf(task)[unit.unit.id])),
    ),
    section('Evidence', results.toSorted((a, b) => (a.gate < b.gate ? -1 : 1)).map(resultLine)),
    claims(unitsOf(task)),
  ]
  return `${parts.filter((part) => part !== false && part !== '').join('\n\n')}\n`
}

const section = (title: string, content: string | readonly string[]): string =>
  `## ${title}\n\n${typeof content === 'string' ? content : content.join('\n')}`

const bullets = (lines: readonly { readonly text: string }[]): readonly string[] =>
  lines.map(({ text }) => `- ${line(text)}`)

const covered = (test: string | null): string =>
  test === null ? '(no test: undefined behaviour)' : `(test: ${line(test)})`

const reviewsOf = (task: Task): Readonly<Record<string, UnitReview>> => {
  const work = workOf(task)
  return 'reviews' in work ? work.reviews : {}
}

function unitLine(progress: UnitProgress, index: number, review: UnitReview | undefined): string {
  const { unit } = progress
  const rounds = progress.status === 'pending' ? 0 : progress.rounds.length
  const facts = [
    `\`${unit.id}\``,
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'}`,
    progress.status === 'checkpointed' ? `checkpoint \`${progress.checkpoint.commit.slice(0, 12)}\`` : progress.status,
    unit.revises === null ? '' : `revises \`${unit.revises}\``,
    reviewed(review),
  ]
  return `${index + 1}. **${line(unit.title)}** (${facts.filter((fact) => fact !== '').join(', ')})`
}

function reviewed(review: UnitReview | undefined): string {
  if (review === undefined) return 'not reviewed by a person'
  return review.kind === 'accepted'
    ? `accepted by ${line(review.by)}`
    : `sent back by ${line(review.by)}: ${line(review.reason)}`
}

function resultLine({ gate, verdict }: GateResult): string {
  switch (verdict.kind) {
    case 'passed': {
      const measures = Object.entries(verdict.measures).map(([name, value]) => `${line(name)} ${value}`)
      return `- **${gate}** passed${measures.length > 0 ? ` (${measures.join(', ')})` : ''}`
    }
    case 'failed':
      return `- **${gate}** failed (${verdict.findings.length} findings)`
    case 'unavailable':
      return `- **${gate}** unavailable: ${line(verdict.cause.message)}`
    case 'not-applicable':
      return `- **${gate}** not applicable: ${line(verdict.because)}`
  }
}

function claims(units: readonly UnitProgress[]): string {
  const told = units.flatMap((progress) =>
    progress.status === 'checkpointed' && progress.checkpoint.answers !== null
      ? [claimsOf(progress.unit.title, progress.checkpoint.answers)]
      : [],
  )
  if (told.length === 0) return ''
  return section('What the agent claims', ['Claims, not evidence: nobody has checked them.', ...told].join('\n\n'))
}

const claimsOf = (title: string, answers: Answers): string =>
  [`**${line(title)}**`, ...(Object.keys(questions) as (keyof Answers)[]).map((key) => claim(key, answers))].join(
    '\n\n',
  )

const claim = (key: keyof Answers, answers: Answers): string => `*${questions[key]}*\n\n${quote(answers[key])}`

/** An agent's words cannot leave their quotation, nor hide in a comment. */
const quote = (text: string): string =>
  plain(text)
    .split(/\r?\n|\r/)
    .map((each) => `> ${each}`.trimEnd())
    .join('\n')

const quoteless = (text: string): string => plain(text).trim()
const plain = (text: string): string => text.replaceAll('<', '&lt;')
const line = (text: string): string => plain(text).replaceAll(/\s+/g, ' ').trim()
