import { indent } from './layout.ts'
import { oneLine, printable } from './printable.ts'
import type { Paint } from './paint.ts'

/** One entry of an agent's session, for reading. What it does not know it shows as it is. */
export function showEntry(entry: unknown, paint: Paint): string[] {
  if (typeof entry !== 'object' || entry === null || !('kind' in entry)) return [oneLine(JSON.stringify(entry))]
  const { kind, ...rest } = entry as Readonly<Record<string, unknown>>
  const text = (name: string): string => (typeof rest[name] === 'string' ? rest[name] : '')
  const block = (title: string, body: string): string[] => [
    paint.strong(title),
    ...indent(printable(body).trimEnd().split('\n')),
  ]
  switch (kind) {
    case 'prompt':
      return block('gaffer asked', text('text'))
    case 'said':
      return block('agent said', text('text'))
    case 'thought':
      return block('agent thought', text('text'))
    case 'plan':
      return block('agent planned', text('text'))
    case 'stderr':
      return block('agent complained', text('text'))
    case 'tool':
      return [
        `${paint.strong('tool')}  ${oneLine(text('title'))}  ${paint.soft(oneLine(text('status')))}`,
        ...indent(text('detail') === '' ? [] : printable(text('detail')).split('\n')),
      ]
    case 'permission':
      return [`${paint.strong('permission')}  ${oneLine(text('title'))}  ${oneLine(text('decision'))}`]
    case 'turn-ended':
      return [paint.soft(`turn ended  ${oneLine(text('stop'))}`), '']
    default:
      return [`${oneLine(String(kind))}  ${oneLine(JSON.stringify(rest))}`]
  }
}
