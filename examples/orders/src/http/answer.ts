/**
 * What a route says. A **Problem** is an answer that says no, after RFC 9457; its `instance` (the trace) is put in
 * where answers are sent, so that no route can forget it.
 */
export type Answer =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown; readonly headers: Headers }
  | { readonly kind: 'problem'; readonly problem: Problem; readonly headers: Headers }

type Headers = Readonly<Record<string, string>>

export interface Problem {
  readonly status: number
  /** Kebab-case; sent as `urn:problem:<name>`. Callers branch on it, so it never changes. */
  readonly name: string
  readonly title: string
  readonly detail: string
}

export const json = (status: number, body: unknown, headers: Headers = {}): Answer => ({
  kind: 'json',
  status,
  body,
  headers,
})

export const refuse = (problem: Problem, headers: Headers = {}): Answer => ({ kind: 'problem', problem, headers })
