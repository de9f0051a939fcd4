type Brush = (text: string) => string

/** Colour is decoration: every word stands without it. */
export interface Paint {
  readonly strong: Brush
  readonly soft: Brush
  readonly good: Brush
  readonly bad: Brush
  readonly needed: Brush
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
