import { refuse, type Answer } from './answer.ts'

export type Fields = Readonly<Record<string, unknown>>
export type Checked<T> =
  | { readonly kind: 'valid'; readonly value: T }
  | { readonly kind: 'refused'; readonly answer: Answer }

/** Takes an object that has no other members than `names`; whether they are there is for the caller to see. */
export function onlyFields(value: unknown, names: readonly string[], where = 'The body'): Checked<Fields> {
  if (!isObject(value)) return { kind: 'refused', answer: invalidField(`${where} is not an object.`) }

  const unknown = Object.keys(value).find((name) => !names.includes(name))
  if (unknown !== undefined) return { kind: 'refused', answer: unknownField(unknown, names) }
  return { kind: 'valid', value }
}

export const invalidField = (detail: string): Answer =>
  refuse({ status: 400, name: 'invalid-field', title: 'A field is not valid', detail })

export const unknownField = (name: string, known: readonly string[]): Answer =>
  refuse({
    status: 400,
    name: 'unknown-field',
    title: 'A field is not known',
    detail: `${JSON.stringify(name.slice(0, 80))} is not known here; known: ${known.join(', ') || 'none'}.`,
  })

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
