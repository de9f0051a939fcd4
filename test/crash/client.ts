import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The HTTP API of the Gaffer that runs on a data folder right now; small, so that a test reads top to bottom. */
export interface Client {
  delegate(input: { readonly hub: string; readonly key: string }): Promise<string>
  task(
    id: string,
  ): Promise<{ readonly state: string; readonly candidate: string | null; readonly waitsFor: string | null }>
  /** A refusal is an answer like any other: the task is looked at again. */
  command(id: string, body: Readonly<Record<string, unknown>>): Promise<void>
  statement(id: string): Promise<string>
  /** Comes back when something has happened to the task since it was last asked. */
  nextEvent(id: string): Promise<void>
  /** Whether an error says that the server is not there any more. */
  isGone(error: unknown): boolean
}

class Gone extends Error {}

export function clientOf(data: string, brief: () => string): Client {
  const { url, tokenFile } = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8')) as {
    url: string
    tokenFile: string
  }
  const authorization = `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`
  let seen = 0

  interface Init extends Omit<RequestInit, 'headers'> {
    readonly headers?: Readonly<Record<string, string>>
  }
  const call = async (path: string, init: Init = {}): Promise<Response> => {
    try {
      return await fetch(`${url}${path}`, {
        ...init,
        headers: { authorization, 'content-type': 'application/json', ...init.headers },
      })
    } catch (cause) {
      throw new Gone(path, { cause })
    }
  }
  const json = async <T>(path: string, init?: Init): Promise<T> => {
    const answer = await call(path, init)
    const text = await answer.text().catch((cause: unknown) => {
      throw new Gone(path, { cause })
    })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
    return JSON.parse(text) as T
  }

  return {
    async delegate({ hub, key }) {
      const body = JSON.stringify({ brief: brief(), hub, actor: 'owner@example.com', agent: null, owner: null })
      return (await json<{ task: string }>('/api/tasks', { method: 'POST', body, headers: { 'Idempotency-Key': key } }))
        .task
    },
    async task(id) {
      const { row, candidate } = await json<{
        row: { state: string; waitsFor: string | null }
        candidate: { commit: string } | null
      }>(`/api/tasks/${id}`)
      return { ...row, candidate: candidate?.commit ?? null }
    },
    async command(id, body) {
      const answer = await call(`/api/tasks/${id}/commands`, { method: 'POST', body: JSON.stringify(body) })
      if (!answer.ok && answer.status !== 409)
        throw new Error(`${String(body['type'])}: ${answer.status} ${await answer.text()}`)
    },
    async statement(id) {
      const answer = await call(`/api/tasks/${id}/statement`)
      return answer.text()
    },
    async nextEvent(id) {
      const answer = await call(`/api/tasks/${id}/stream`, { headers: { 'Last-Event-ID': String(seen) } })
      const decoder = new TextDecoder()
      let text = ''
      try {
        for await (const chunk of answer.body ?? []) {
          text += decoder.decode(chunk as Uint8Array, { stream: true })
          const ids = [...text.matchAll(/^id: ?(\d+)$/gm)].map(([, position]) => Number(position))
          if (ids.length === 0) continue
          seen = Math.max(seen, ...ids)
          return
        }
      } catch (cause) {
        throw new Gone(id, { cause })
      }
      throw new Gone(id)
    },
    isGone: (error) => error instanceof Gone,
  }
}
