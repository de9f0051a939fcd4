import type { Answer } from './answer.ts'

export interface Route {
  readonly method: 'GET' | 'POST'
  /** `/products/:sku`: a segment that starts with a colon takes any segment, the empty one included. */
  readonly path: string
  readonly answer: (request: Asked) => Answer | Promise<Answer>
}

/** A request, as a route sees it. */
export interface Asked {
  /** Path segments by name, exactly as they stood in the path: not percent-decoded. */
  readonly params: Readonly<Record<string, string>>
  /** Parses the body as JSON. A second call is a bug. */
  readonly body: () => Promise<Body>
}

export type Body =
  | { readonly kind: 'parsed'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly answer: Answer }

/** The params of `path` when it has the form of `pattern`, else undefined. */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined

  const params: Record<string, string> = {}
  for (const [index, segment] of wanted.entries()) {
    const text = given[index] ?? ''
    if (segment.startsWith(':')) params[segment.slice(1)] = text
    else if (segment !== text) return undefined
  }
  return params
}
