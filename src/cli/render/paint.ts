/** Colour is decoration: every word stands without it. */
export interface Paint {
  strong(text: string): string
  soft(text: string): string
  good(text: string): string
  bad(text: string): string
  needed(text: string): string
}

const ansi =
  (open: number, close: number) =>
  (text: string): string =>
    text === '' ? '' : `\u001b[${open}m${text}\u001b[${close}m`
const plain = (text: string): string => text

export const paint = (colour: boolean): Paint =>
  colour
    ? { strong: ansi(1, 22), soft: ansi(2, 22), good: ansi(32, 39), bad: ansi(31, 39), needed: ansi(33, 39) }
    : { strong: plain, soft: plain, good: plain, bad: plain, needed: plain }

/** https://no-color.org: any value but the empty one means no colour. */
export const wantsColour = (isTty: boolean, env: Readonly<Record<string, string | undefined>>): boolean =>
  isTty && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
