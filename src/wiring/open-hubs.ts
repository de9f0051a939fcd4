import type { Repositories, Repository } from '../ports/repository.ts'

/** Repositories of hubs, each opened once per process and kept. */
export interface Hubs {
  open(hub: string): Promise<Repository>
  close(): Promise<void>
}

export function openHubs(repositories: Repositories): Hubs {
  const opened = new Map<string, Promise<Repository>>()
  return {
    open(hub) {
      const known = opened.get(hub)
      if (known !== undefined) return known
      const opening = repositories.open(hub)
      opened.set(hub, opening)
      opening.catch(() => opened.delete(hub)) // what failed is tried again next time
      return opening
    },
    async close() {
      await Promise.allSettled([...opened.values()].map(async (opening) => (await opening).close()))
      opened.clear()
    },
  }
}
