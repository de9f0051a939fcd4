import type { TraceId } from './http/trace.ts'

export interface LogEntry {
  readonly level: 'info' | 'error'
  /** Kebab-case; alerts are set on it. */
  readonly event: string
  readonly trace: TraceId
  readonly [field: string]: string | number | null
}

export type Log = (entry: LogEntry) => void

/** One JSON object a line on standard output. */
export const jsonLog: Log = (entry) => {
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`)
}
