import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Compares secrets in a time that says nothing about them. */
export const sameSecret = (a: string, b: string): boolean =>
  timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))

const sessionMs = 30 * 24 * 3_600_000
const mostKeys = 32

/**
 * One-time links to the status page, and the sessions they open. A session is its own proof (`expiry.mac`, keyed
 * with the server's token), so it outlives a restart as long as the token does. It reads and never writes.
 */
export interface PageKeys {
  /** A new key; opens one session, once. The oldest of too many unused ones is dropped. */
  issue(): string
  /** The session that a key opens, or undefined when it is unknown or used up. Not repeatable. */
  redeem(key: string): { readonly session: string; readonly maxAgeSeconds: number } | undefined
  isSession(session: string): boolean
}

export function createPageKeys(token: string, now: () => number = Date.now): PageKeys {
  const unused = new Set<string>()
  const mac = (expiry: string): string =>
    createHmac('sha256', token).update(`page-session:${expiry}`).digest('base64url')
  return {
    issue() {
      const key = randomBytes(24).toString('base64url')
      unused.add(key)
      for (const oldest of unused) {
        if (unused.size <= mostKeys) break
        unused.delete(oldest)
      }
      return key
    },
    redeem(key) {
      if (!unused.delete(key)) return undefined
      const expiry = String(now() + sessionMs)
      return { session: `${expiry}.${mac(expiry)}`, maxAgeSeconds: sessionMs / 1_000 }
    },
    isSession(session) {
      const [expiry = '', proof = '', ...rest] = session.split('.')
      return rest.length === 0 && /^\d{10,16}$/.test(expiry) && sameSecret(proof, mac(expiry)) && Number(expiry) > now()
    },
  }
}
