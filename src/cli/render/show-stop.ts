import type { Stop } from '../stop.ts'
import { paint } from './paint.ts'
import { oneLine, printable } from './printable.ts'

/** What did not happen, why, and what to do: for the terminal. */
export function showStop({ message, why, todo, details }: Stop, colour: boolean): string {
  const { bad, soft } = paint(colour)
  const lines = [
    `${bad('error')}  ${oneLine(message)}`,
    ...(why === '' ? [] : [`why    ${oneLine(why)}`]),
    ...details.map((line) => `       ${printable(line)}`),
    `${soft('to do')}  ${oneLine(todo)}`,
  ]
  return `${lines.join('\n')}\n`
}
