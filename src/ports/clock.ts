/** Time and chance, so that tests own them. */
export interface Clock {
  /** ISO 8601 with milliseconds, UTC. */
  now(): string
  randomBytes(count: number): Uint8Array
}

export const systemClock: Clock = {
  now: () => new Date().toISOString(),
  randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
}
