import type { z } from 'zod'
import { problemSchema, problemTypes, type Problem } from '../../contract/problem.ts'
import { Fault } from '../../domain/fault.ts'
import { Stop } from '../stop.ts'
import { findServer, unreachable, type Server } from './find-server.ts'

export interface Client {
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>>
  post<Schema extends z.ZodType>(
    path: string,
    request: { readonly body?: unknown; readonly headers?: Record<string, string>; readonly schema: Schema },
  ): Promise<z.output<Schema>>
  bytes(path: string): Promise<Uint8Array>
  /** The answer as it is, once it is a good one. */
  raw(path: string, init?: RequestInit): Promise<Response>
}

/**
 * A client of the server of a data folder. What the server refuses is thrown as a Stop.
 * @throws Fault server-unreachable
 */
export async function connect(data: string): Promise<Client> {
  const server = await findServer(data)
  const raw = (path: string, init: RequestInit = {}): Promise<Response> => ask(server, path, init)
  return {
    raw,
    async get(path, schema) {
      return read(await raw(path), schema)
    },
    async post(path, { body, headers = {}, schema }) {
      const init = body === undefined ? {} : { body: JSON.stringify(body) }
      return read(
        await raw(path, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, ...init }),
        schema,
      )
    },
    async bytes(path) {
      return new Uint8Array(await (await raw(path)).arrayBuffer())
    },
  }
}

async function ask(server: Server, path: string, init: RequestInit): Promise<Response> {
  const headers = { ...(init.headers as Record<string, string> | undefined), Authorization: `Bearer ${server.token}` }
  const answer = await fetch(server.url + path, { ...init, headers, redirect: 'error' }).catch((error: unknown) => {
    throw init.signal?.aborted === true ? error : unreachable(`Gaffer does not answer at ${server.url}`, error)
  })
  if (answer.ok) return answer
  const problem = problemSchema.safeParse(await answer.json().catch(() => undefined))
  throw problem.success ? stopOfProblem(problem.data) : foreign(server.url)
}

async function read<Schema extends z.ZodType>(answer: Response, schema: Schema): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(await answer.json().catch(() => undefined))
  if (!parsed.success) throw foreign(answer.url)
  return parsed.data
}

const foreign = (url: string): Fault =>
  new Fault('server-unreachable', `what answers at ${url} is not this version of Gaffer`, {
    hint: 'end it, and start this one: `gaffer up`',
  })

/** A refusal ends with 1, a request that could not be read with 2, what went wrong over there with 3. */
export function stopOfProblem(problem: Problem): Stop {
  const exit =
    problem.status === 400 ? 2 : problem.status >= 500 || problem.status === 401 || problem.status === 403 ? 3 : 1
  const details = (problem.problems ?? []).map(
    ({ level, line, message }) => `${level}${line === null ? '' : `  line ${line}`}  ${message}`,
  )
  return new Stop(exit, problem.title, {
    why: details.length > 0 && problem.type !== problemTypes.refused ? '' : problem.detail,
    todo: problem.todo,
    details,
    type: problem.type,
  })
}
