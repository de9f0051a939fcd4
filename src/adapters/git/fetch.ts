import { setTimeout as pause } from 'node:timers/promises'
import { lastLines } from '../../process/run.ts'
import { unreachable } from './hub.ts'
import { locked, removeStaleLocks } from './locks.ts'
import { gitFault, tryGit } from './run-git.ts'
import { refsInStore, refsOnHub, sameRefs } from './store-refs.ts'
import type { Store } from './store.ts'

const patienceMs = 8_000

/**
 * Brings the hub's branches and Gaffer's refs into the store; refs that are gone on the hub go here too. Asking a
 * local hub what it has is cheaper than a fetch that finds nothing new.
 * @throws Fault hub-unreachable, repository-locked, disk-full, git-failed
 */
export async function fetchHub(store: Store): Promise<void> {
  const { hub, outward } = store
  const args = ['fetch', '--quiet', '--prune', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', 'hub']
  const deadline = performance.now() + patienceMs
  for (;;) {
    if (hub.kind === 'local' && (await isUpToDate(store))) return
    const ran = await tryGit(outward, args)
    if (ran.exitCode === 0) return
    const fault = await gitFault(args, ran, store.path)
    if (fault.code === 'disk-full') throw fault
    // Another process on this store may be fetching the same refs: then both are right, and one of them tries again.
    const wasLocked = await removeStaleLocks(store.path)
    // Exit 1 is about refs, 128 about everything else.
    const contested = wasLocked || ran.exitCode === 1
    if (!contested && hub.kind === 'remote') throw unreachable(hub.name, lastLines(ran.stderr))
    if (!contested) throw fault
    if (performance.now() > deadline) throw wasLocked ? locked(store.path) : fault
    await pause(100 + Math.random() * 200)
  }
}

async function isUpToDate(store: Store): Promise<boolean> {
  const [there, here] = await Promise.all([refsOnHub(store), refsInStore(store)])
  return sameRefs(there, here)
}

/** @throws Fault hub-unreachable */
export async function defaultBranchOf({ hub, outward }: Store): Promise<string | undefined> {
  const ran = await tryGit(outward, ['ls-remote', '--symref', 'hub', 'HEAD'])
  if (ran.exitCode !== 0) throw unreachable(hub.name, lastLines(ran.stderr))
  return parseSymref(ran.stdout.toString())
}

/** `ref: refs/heads/main<TAB>HEAD` on a line of its own, before the value. */
export const parseSymref = (listing: string): string | undefined =>
  /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(listing)?.[1]
