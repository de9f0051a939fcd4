/**
 * How many workflows of a queue may run in this process at once. A place can be reserved for a workflow by its id
 * before it starts, so that a start decides in one go whether there is room here.
 */
export interface Slots {
  /** Holds a place for the workflow when one is free; false when none is. */
  reserve(id: string): boolean
  /** Gives a reservation back that the workflow did not use, because it runs elsewhere. */
  forget(id: string): void
  /** Takes the reserved place, or waits for a free one. */
  take(id: string): Promise<void>
  release(): void
}

export function createSlots(limit: number | null): Slots {
  if (limit === null) return unlimited
  let free = limit
  const reserved = new Set<string>()
  const waiting: (() => void)[] = []
  const release = (): void => {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }
  return {
    reserve(id) {
      if (free === 0) return false
      free -= 1
      reserved.add(id)
      return true
    },
    forget(id) {
      if (reserved.delete(id)) release()
    },
    async take(id) {
      if (reserved.delete(id)) return
      if (free > 0) {
        free -= 1
        return
      }
      await new Promise<void>((resolve) => waiting.push(resolve))
    },
    release,
  }
}

const unlimited: Slots = { reserve: () => true, forget: () => {}, take: () => Promise.resolve(), release: () => {} }
