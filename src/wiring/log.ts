import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { redact } from '../domain/redact.ts'

export interface Log {
  readonly engine: (level: 'warning' | 'error', message: string) => void
  readonly bug: (error: unknown, reference: string) => void
}

/** `<data>/log/gaffer.log`, a JSON line an entry, readable by its owner. */
export function openLog(data: string): Log {
  const folder = join(data, 'log')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const log = pino(
    { base: { pid: process.pid } },
    pino.destination({ dest: join(folder, 'gaffer.log'), sync: true, mode: 0o600 }),
  )
  return {
    engine: (level, message) => log[level === 'error' ? 'error' : 'warn']({ part: 'engine' }, redact(message)),
    bug: (error, reference) =>
      log.error({ reference }, redact(error instanceof Error ? (error.stack ?? error.message) : String(error))),
  }
}
