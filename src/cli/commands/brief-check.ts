import type { BriefProblem } from '../../domain/brief.ts'
import type { Answer } from '../answer.ts'
import type { Context } from '../context.ts'
import { readBriefFile } from '../read-brief-file.ts'
import { columns, plural } from '../render/layout.ts'
import { oneLine } from '../render/printable.ts'
import type { Paint } from '../render/paint.ts'

/** `gaffer brief check FILE` */
export async function briefCheck(context: Context, file: string): Promise<Answer> {
  const text = await readBriefFile(context.cwd, file)
  const problems = await (await context.wiring()).checkBrief({ text, folder: context.cwd })
  const errors = problems.filter(({ level }) => level === 'error').length
  const warnings = problems.length - errors
  return {
    data: { ok: errors === 0, problems },
    text: [
      ...showProblems(file, problems, context.paint),
      ...(problems.length > 0 ? [''] : []),
      errors === 0
        ? `${file} is ready${warnings > 0 ? `, with ${plural(warnings, 'warning')}` : ''}`
        : `${file} is not ready: ${plural(errors, 'error')}`,
      errors === 0 ? `next  gaffer delegate ${file}` : 'next  mend the errors, and check again',
    ],
    exit: errors === 0 ? 0 : 1,
  }
}

export const showProblems = (file: string, problems: readonly BriefProblem[], paint: Paint): string[] =>
  columns(
    problems.map(({ level, line, rule, message }) => [
      line === null ? file : `${file}:${line}`,
      level === 'error' ? paint.bad('error') : paint.needed('warning'),
      oneLine(message),
      paint.soft(rule),
    ]),
  )
