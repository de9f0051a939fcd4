import type { Context } from 'hono'
import type { z } from 'zod'
import { problemType, problemTypes, type Problem } from '../contract/problem.ts'
import { Fault, type FaultCode, type Refusal } from '../domain/fault.ts'

/** Anything that ends a request early. Thrown inside routes, answered in one place. */
export class Stopped extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.title)
    this.problem = problem
  }
}

export const stop = (status: number, type: string, [title, detail, todo]: readonly [string, string, string]): Stopped =>
  new Stopped({ type, title, detail, todo, status, retryable: false })

export const notFound = (what: string, todo = 'look at `gaffer status`'): Stopped =>
  stop(404, problemTypes.notFound, [`there is no ${what}`, 'nothing of that name is known here', todo])

export const refused = (refusal: Refusal): Stopped =>
  stop(409, problemTypes.refused, [`${refusal.what}: refused`, refusal.why, refusal.todo])

/** @param where what was read: the body, the query */
export function badRequest(where: string, error: z.ZodError): Stopped {
  const problems = error.issues.slice(0, 20).map((issue) => {
    const path = issue.path.map(String).join('.')
    return { level: 'error' as const, line: null, rule: path || where, message: `${path || where}: ${issue.message}` }
  })
  const detail = problems.map(({ message }) => message).join('; ')
  const [title, todo] = [`the request's ${where} cannot be used`, 'send what the contract says']
  return new Stopped({ type: problemTypes.badRequest, title, detail, todo, status: 400, retryable: false, problems })
}

/** What a person got wrong is theirs to mend (422); what a part outside did not do is ours to report (5xx). */
const statusOfFault: Partial<Record<FaultCode, number>> = {
  'bad-input': 422,
  'bad-settings': 422,
  'not-a-repository': 422,
  'hub-unreachable': 502,
  'repository-locked': 503,
  'database-unavailable': 503,
  'sandbox-unavailable': 503,
  'dependencies-unavailable': 503,
  'agent-timeout': 504,
  'command-timeout': 504,
  'disk-full': 507,
}

export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Stopped) return error.problem
  if (!(error instanceof Fault)) return undefined
  return {
    type: problemTypes.fault(error.code),
    title: error.message,
    detail: error.cause instanceof Fault ? error.cause.message : error.code.replaceAll('-', ' '),
    todo: error.hint,
    status: statusOfFault[error.code] ?? 500,
    retryable: error.retryable,
  }
}

/** A bug: its own words stay in the log, under a reference that the answer names. */
export const bugProblem = (reference: string): Problem => ({
  type: problemTypes.bug,
  title: 'Gaffer made a mistake',
  detail: 'something happened that nobody planned for; nothing was lost that was already recorded',
  todo: `look for ${reference} in the log of \`gaffer up\`, and report it`,
  status: 500,
  retryable: false,
})

export const answerProblem = (c: Context, problem: Problem): Response =>
  c.body(JSON.stringify(problem), problem.status as 500, { 'Content-Type': problemType, 'Cache-Control': 'no-store' })
