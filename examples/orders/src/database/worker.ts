import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { monotonicMs, type Demand, type Outcome, type Reply, type Request, type Row } from './protocol.ts'
import { schema } from './schema.ts'

/**
 * The thread that owns the connection. SQLite works synchronously: here it holds up nobody but the next statement.
 * A wait for another process's lock ends at the statement's deadline, and a statement whose deadline has passed
 * before its turn is not begun, so nothing is written for a caller who has been told that it was not.
 */
const port = parentPort
if (port === null) throw new Error('worker.ts is started by Database.open')

const busy = 5 // SQLITE_BUSY, the low byte of its extended codes too
const database = new DatabaseSync(workerData.file)
database.exec(`PRAGMA busy_timeout = ${workerData.timeoutMs}; ${schema}`)
const prepared = new Map<string, StatementSync>()

port.on('message', ({ id, demand }: Request) => port.postMessage({ id, outcome: answer(demand) } satisfies Reply))
port.postMessage('ready')

function answer(demand: Demand): Outcome {
  if (demand.kind === 'abandon') {
    if (database.isTransaction) database.exec('ROLLBACK')
    return { kind: 'rows', rows: [] }
  }

  const leftMs = Math.floor(demand.deadlineMs - monotonicMs())
  if (leftMs <= 0) return { kind: 'timed-out' }
  try {
    database.exec(`PRAGMA busy_timeout = ${leftMs}`)
    return { kind: 'rows', rows: statement(demand.sql).all(...demand.params) as Row[] }
  } catch (error) {
    const code = sqliteCode(error)
    if (code !== null && (code & 0xff) === busy) return { kind: 'timed-out' }
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error), code }
  }
}

/** Statements are few and written in the code, so every one of them is kept. */
function statement(sql: string): StatementSync {
  const known = prepared.get(sql)
  if (known !== undefined) return known
  const made = database.prepare(sql)
  prepared.set(sql, made)
  return made
}

const sqliteCode = (error: unknown): number | null =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : null
