/** What the main thread and the database's worker thread say to each other. */
export type Cell = null | number | string
export type Row = Readonly<Record<string, Cell>>

export type Demand =
  | { readonly kind: 'run'; readonly sql: string; readonly params: readonly Cell[]; readonly deadlineMs: number }
  /** Rolls back whatever transaction is open. */
  | { readonly kind: 'abandon' }

export type Outcome =
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'timed-out' }
  /** `code` is SQLite's extended result code, null when it was not SQLite that failed. */
  | { readonly kind: 'failed'; readonly message: string; readonly code: number | null }

/** `id` says which demand a reply is for. */
export interface Request {
  readonly id: number
  readonly demand: Demand
}
export interface Reply {
  readonly id: number
  readonly outcome: Outcome
}

/** Milliseconds of a clock that never jumps and is the same in every thread of the process. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6
