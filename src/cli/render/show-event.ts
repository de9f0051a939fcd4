import type { EventLine, EventOnTheWire } from '../../contract/events.ts'
import { oneLine } from './printable.ts'
import type { Paint } from './paint.ts'

const markWidth = 9

/** An event in words, one line each thing it says. */
export const showEvent = (event: EventOnTheWire, paint: Paint): string[] =>
  event.lines.map((line) => showLine(line, paint))

function showLine({ mark, subject, text, tone }: EventLine, paint: Paint): string {
  const word = mark.padEnd(markWidth)
  const marked = { plain: paint.soft, good: paint.good, caught: paint.bad, needed: paint.needed }[tone](word)
  return [marked, oneLine(subject), oneLine(text)].filter((part) => part !== '').join('  ')
}
