import { Worker } from 'node:worker_threads'
import { monotonicMs, type Cell, type Demand, type Reply, type Row } from './protocol.ts'
import { Turns } from './turns.ts'

/** The database did not answer in time. What was asked for inside a transaction has not happened. */
export class DatabaseTimeout extends Error {
  override readonly name = 'DatabaseTimeout'
  readonly timeoutMs: number

  constructor(timeoutMs: number) {
    super(`the database did not answer within ${timeoutMs} ms`)
    this.timeoutMs = timeoutMs
  }
}

/** SQLite refused a statement. `code` is SQLite's extended result code. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: number | null

  constructor(message: string, code: number | null) {
    super(message)
    this.code = code
  }
}

export interface Transaction {
  readonly query: (sql: string, ...params: readonly Cell[]) => Promise<readonly Row[]>
}

/**
 * The client of one SQLite file, whose connection lives in a worker thread. There is one connection, so callers take
 * turns on it; each call has one deadline for everything, waiting for its turn included.
 */
export class Database {
  readonly #worker: Worker
  readonly #timeoutMs: number
  readonly #turns = new Turns()
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #lost: Error | undefined

  private constructor(worker: Worker, timeoutMs: number) {
    this.#worker = worker
    this.#timeoutMs = timeoutMs
    worker.on('message', (reply: Reply) => this.#settle(reply))
    worker.on('error', (error) => this.#lose(error))
    worker.on('exit', () => this.#lose(new Error('the database is closed')))
  }

  /** `file` is made when it is missing; `:memory:` lives as long as this object. */
  static async open(file: string, { timeoutMs = 500 } = {}): Promise<Database> {
    const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: { file, timeoutMs } })
    const ready = Promise.withResolvers<void>()
    worker.once('message', () => ready.resolve())
    worker.once('error', ready.reject)
    await ready.promise
    return new Database(worker, timeoutMs)
  }

  /**
   * Runs one statement that reads.
   * @throws DatabaseTimeout, DatabaseError
   */
  async query(sql: string, ...params: readonly Cell[]): Promise<readonly Row[]> {
    const deadlineMs = this.#deadlineMs()
    await this.#turns.take(deadlineMs, new DatabaseTimeout(this.#timeoutMs))
    try {
      return await this.#run(sql, params, deadlineMs)
    } finally {
      this.#turns.give()
    }
  }

  /**
   * Runs `work` in a transaction that holds the write lock from its beginning. Commits when it resolves, rolls back
   * when it rejects.
   * @throws DatabaseTimeout, DatabaseError, and whatever `work` throws
   */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const deadlineMs = this.#deadlineMs()
    await this.#turns.take(deadlineMs, new DatabaseTimeout(this.#timeoutMs))
    try {
      await this.#run('BEGIN IMMEDIATE', [], deadlineMs)
      const result = await work({ query: (sql, ...params) => this.#run(sql, params, deadlineMs) })
      await this.#commit(deadlineMs)
      this.#turns.give()
      return result
    } catch (error) {
      // The caller hears at once; the next turn begins only when the worker has rolled back.
      void this.#abandon().finally(() => this.#turns.give())
      throw error
    }
  }

  /** Ends the worker. What is still under way is refused. Safe to repeat. */
  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #deadlineMs(): number {
    return monotonicMs() + this.#timeoutMs
  }

  /** The worker ends a wait for a lock at the deadline; the timer here is for a statement that is simply slow. */
  #run(sql: string, params: readonly Cell[], deadlineMs: number): Promise<readonly Row[]> {
    return this.#ask({ kind: 'run', sql, params, deadlineMs }, deadlineMs)
  }

  /** No timer: once a commit has begun, only the worker knows how it ended. */
  async #commit(deadlineMs: number): Promise<void> {
    await this.#ask({ kind: 'run', sql: 'COMMIT', params: [], deadlineMs }, null)
  }

  /** Resolves when no transaction is open any more, however long that takes; also when the worker is gone. */
  async #abandon(): Promise<void> {
    await this.#ask({ kind: 'abandon' }, null).catch(() => undefined)
  }

  #ask(demand: Demand, deadlineMs: number | null): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost)

      const id = (this.#lastId += 1)
      const late = (): void => {
        this.#pending.delete(id)
        reject(new DatabaseTimeout(this.#timeoutMs))
      }
      const timer = deadlineMs === null ? undefined : setTimeout(late, deadlineMs - monotonicMs())
      this.#pending.set(id, { resolve, reject, timer })
      this.#worker.postMessage({ id, demand })
    })
  }

  #settle({ id, outcome }: Reply): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return // it came after the deadline, and its caller has been told
    this.#pending.delete(id)
    clearTimeout(pending.timer)

    switch (outcome.kind) {
      case 'rows':
        return pending.resolve(outcome.rows)
      case 'timed-out':
        return pending.reject(new DatabaseTimeout(this.#timeoutMs))
      case 'failed':
        return pending.reject(new DatabaseError(outcome.message, outcome.code))
    }
  }

  #lose(error: Error): void {
    this.#lost ??= error
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer)
      reject(error)
    }
    this.#pending.clear()
  }
}

interface Pending {
  readonly resolve: (rows: readonly Row[]) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout | undefined
}
