import type { Claims, UnitOnTheWire } from '../../contract/task-detail.ts'
import type { GateResultOnTheWire } from '../../contract/words.ts'
import { indent, plural, wrapped } from '../render/layout.ts'
import { oneLine, printable } from '../render/printable.ts'
import type { Paint } from '../render/paint.ts'
import { reviewWord } from '../render/show-task.ts'
import type { Risk } from './risk.ts'

export interface UnitUnderReview {
  readonly unit: UnitOnTheWire
  readonly patch: string
  readonly risk: Risk
}

const questions: Readonly<Record<keyof Claims, string>> = {
  why: 'Why this structure, over the alternatives?',
  scale: 'What does it cost at scale?',
  rules: 'How does it keep to the security and dependency rules?',
}

/** A unit as a reviewer needs it: what it is for, what the gates said, what the agent claims, and the change. */
export function showUnit({ unit, patch, risk }: UnitUnderReview, index: number, paint: Paint): string[] {
  const { size, reasons } = risk
  const caught = unit.rounds.flatMap(({ number, findings }) =>
    findings.map((finding) => `round ${number}  ${finding.gate}  ${oneLine(finding.message)}`),
  )
  return [
    `${index}  ${paint.strong(unit.id)}  ${oneLine(unit.title)}`,
    ...indent(
      [
        `${paint.good(`+${size.added}`)} ${paint.bad(`-${size.removed}`)} in ${plural(size.files.length, 'file')}; ${reviewWord(unit) || 'no review is asked'}`,
        ...(reasons.length > 0 ? [`${paint.needed('look closely')}  ${reasons.join(', ')}`] : []),
        '',
        'goal',
        ...indent(wrapped(printable(unit.goal))),
        'gates',
        ...indent((unit.checkpoint?.results ?? []).map((result) => showResult(result, paint))),
        ...(caught.length === 0 ? [] : ['caught on the way', ...indent(caught)]),
        ...showClaims(unit, paint),
        'change',
        ...showPatch(patch, paint),
      ],
      3,
    ),
    '',
  ]
}

function showClaims(unit: UnitOnTheWire, paint: Paint): string[] {
  const claims = unit.checkpoint?.claims ?? null
  if (claims === null) return ['the agent gave no account of it']
  const lines = (['why', 'scale', 'rules'] as const).flatMap((key) => [
    paint.soft(questions[key]),
    ...indent(wrapped(printable(claims[key]))),
  ])
  return ['claims by the agent (not evidence)', ...indent(lines)]
}

export function showResult({ gate, verdict, cached }: GateResultOnTheWire, paint: Paint): string {
  const kept = cached ? paint.soft(' (stands from an earlier run)') : ''
  switch (verdict.kind) {
    case 'passed': {
      const measures = Object.entries(verdict.measures).map(([name, value]) => `${name} ${value}`)
      return `${paint.good('passed')}  ${gate}${measures.length > 0 ? paint.soft(`  ${measures.join(', ')}`) : ''}${kept}`
    }
    case 'failed':
      return `${paint.bad('failed')}  ${gate}  ${plural(verdict.findings.length, 'finding')}${kept}`
    case 'unavailable':
      return `${paint.needed('unavailable')}  ${gate}  ${oneLine(verdict.cause.message)}`
    case 'not-applicable':
      return `${paint.soft('not applicable')}  ${gate}  ${oneLine(verdict.because)}`
  }
}

const showPatch = (patch: string, paint: Paint): string[] =>
  printable(patch)
    .trimEnd()
    .split('\n')
    .map((line) => {
      if (line.startsWith('+')) return paint.good(line)
      if (line.startsWith('-')) return paint.bad(line)
      return line.startsWith('@@') || line.startsWith('diff ') ? paint.soft(line) : line
    })
