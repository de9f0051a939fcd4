import { Fault } from '../../domain/fault.ts'

/**
 * What a SQLSTATE, or a code of the operating system, means to us. The one place that classifies database errors.
 * https://www.postgresql.org/docs/18/errcodes-appendix.html
 */
export function faultOfDatabase(cause: unknown): Fault | undefined {
  const code = codeOf(cause)
  if (code === undefined) return undefined
  const said = cause instanceof Error ? cause.message : String(cause)
  return faultOfCode(code, said, cause)
}

export function faultOfCode(code: string, said: string, cause?: unknown): Fault | undefined {
  if (code === '53100' || code === 'ENOSPC')
    return new Fault('disk-full', `the database has no room left on its disk: ${said}`, {
      hint: 'free some space, then try again; nothing was lost',
      retryable: true,
      cause,
    })
  if (code === 'XX001' || code === 'XX002')
    return new Fault('database-corrupted', `the database is damaged: ${said}`, { hint: afterCorruption, cause })
  if (connectionCodes.has(code) || code.startsWith('08'))
    return new Fault('database-unavailable', `the database cannot be reached: ${said}`, {
      hint: 'run `gaffer doctor`; with DATABASE_URL, see that the server runs and that the address is right',
      retryable: true,
      cause,
    })
  if (code.startsWith('28') || code === '3D000')
    return new Fault('database-unavailable', `the database does not let us in: ${said}`, {
      hint: 'check user, password and database name in DATABASE_URL',
      cause,
    })
  return undefined
}

export const afterCorruption =
  'restore the data folder from a backup, or move it away and start again: checkpoints and evidence are in the repositories'

/** pg reports a connection that ended under a query with a message and no code. */
const connectionLost = 'connection-lost'

const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT', // a Unix socket that is not there
  '57P01', // the server is being stopped
  '57P02', // a sibling crashed
  '57P03', // starting up or shutting down
  '53300', // too many connections
  connectionLost,
])

function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  if ('code' in cause && typeof cause.code === 'string') return cause.code
  if (cause instanceof AggregateError) return codeOf(cause.errors[0])
  return /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/.test(
    cause.message,
  )
    ? connectionLost
    : undefined
}
