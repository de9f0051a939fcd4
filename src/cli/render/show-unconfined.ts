import type { Paint } from './paint.ts'
import { oneLine } from './printable.ts'

/** Loud, and on every occasion: nobody is to find out afterwards that nothing confined the agents. */
export const showUnconfined = (
  { why, todo }: { readonly why: string; readonly todo: string },
  paint: Pick<Paint, 'bad'>,
): string => `${paint.bad('UNCONFINED')}  agents can read and write whatever you can: ${oneLine(why)}; ${oneLine(todo)}`
