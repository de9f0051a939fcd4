import pg from 'pg'

let isGuarded = false

/**
 * A connection that the server cuts says so twice: the query under way fails, and the client emits `error`. Where
 * nobody listens to the second, Node ends the process. Every client, also those of libraries, gets a listener here.
 */
export function surviveLostConnections(): void {
  if (isGuarded) return
  isGuarded = true
  const given: unknown = Reflect.get(pg.Client.prototype, 'connect')
  if (typeof given !== 'function') return
  Reflect.set(pg.Client.prototype, 'connect', function guarded(this: pg.Client, ...args: unknown[]): unknown {
    this.on('error', () => undefined)
    return Reflect.apply(given, this, args)
  })
}
