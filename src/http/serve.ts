import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { Fault } from '../domain/fault.ts'

export interface Served {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  /** Stops listening, cuts what is open, and waits for the end. Safe to repeat. */
  close(): Promise<void>
}

/**
 * Listens on loopback, and nowhere else.
 * @param port null: a free one
 * @throws Fault port-taken
 */
export async function serve(app: Hono, port: number | null): Promise<Served> {
  const server = createAdaptorServer({ fetch: app.fetch, hostname: '127.0.0.1' })
  if ('requestTimeout' in server) server.requestTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(port === null ? error : classify(error, port)))
    server.listen(port ?? 0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address')
  let closed: Promise<void> | undefined
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve())
        if ('closeAllConnections' in server) server.closeAllConnections()
      })
      return closed
    },
  }
}

function classify(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return error
  const why = error.code === 'EACCES' ? 'this user may not listen on' : 'another program listens on'
  return new Fault('port-taken', `${why} port ${port}`, {
    hint: 'choose another with `--port`, or leave it out for a free one',
    cause: error,
  })
}
