import { commitSha } from '../../domain/ids.ts'
import { Fault } from '../../domain/fault.ts'
import { redact } from '../../domain/redact.ts'
import type { Pushed, RefUpdate } from '../../ports/repository.ts'
import { lastLines } from '../../process/run.ts'
import { findCheckouts, lookAtCheckout, undoUnfinished, type Checkout } from './checkout-on-hub.ts'
import { unreachable } from './hub.ts'
import { findLocks, locked } from './locks.ts'
import type { ObjectReader } from './object-reader.ts'
import { git, gitFault, tryGit, type GitRan } from './run-git.ts'
import { findRebase } from './rebase-on-hub.ts'
import { kept, refsOnHub, type RefValues } from './store-refs.ts'
import type { Store } from './store.ts'

/**
 * Moves refs on the hub. git's exit status says whether it went through; when not, the reason is found by asking what
 * is there now: the refs' values, the checkout's state, locks. Only when none of that explains it, it was refused.
 * @throws Fault hub-unreachable, repository-locked, disk-full, git-failed, bad-input
 */
export async function pushRefs(store: Store, reader: ObjectReader, updates: readonly RefUpdate[]): Promise<Pushed> {
  if (updates.length === 0) return { kind: 'pushed' }
  checkUpdates(updates)
  for (const { to } of updates)
    if ((await reader.look(to))?.kind !== 'commit')
      throw new Fault('git-failed', `there is no commit ${to} to push`, {
        hint: 'fetch the hub and make the commit again',
      })
  const rebase =
    store.hub.kind === 'local'
      ? findRebase(
          store.hub.folder,
          updates.map(({ ref }) => ref),
        )
      : undefined
  if (rebase !== undefined) {
    const standing = compareRefs(
      updates,
      await refsOnHub(
        store,
        updates.map(({ ref }) => ref),
      ),
    )
    return standing.kind === 'unmoved' ? inRebase(rebase) : standing
  }
  const first = await attempt(store, reader, updates)
  if (first.kind !== 'unfinished') return first
  await undoUnfinished(store, first.checkout, first.update)
  const second = await attempt(store, reader, updates)
  if (second.kind !== 'unfinished') return second
  throw new Fault('git-failed', `${second.checkout.path} is left half updated by an interrupted push`, {
    hint: `look at git status there, run git reset --hard when nothing in it is yours, and land again`,
  })
}

type Attempt = Pushed | { readonly kind: 'unfinished'; readonly checkout: Checkout; readonly update: RefUpdate }

async function attempt(store: Store, reader: ObjectReader, updates: readonly RefUpdate[]): Promise<Attempt> {
  const leases = updates.map(({ ref, from }) => `--force-with-lease=${ref}:${from ?? ''}`)
  const specs = updates.map(({ ref, to }) => `${to}:${ref}`)
  const args = ['push', '--porcelain', '--atomic', '--no-verify', '--no-signed', ...leases, 'hub', ...specs]
  const ran = await tryGit(store.outward, args)
  if (ran.exitCode === 0) {
    await rememberPushed(store, reader, updates)
    return { kind: 'pushed' }
  }

  const standing = compareRefs(
    updates,
    await refsOnHub(
      store,
      updates.map(({ ref }) => ref),
    ),
  )
  if (standing.kind === 'pushed') await rememberPushed(store, reader, updates)
  if (standing.kind !== 'unmoved') return standing

  const fault = await gitFault(args, ran, store.hub.kind === 'local' ? store.hub.folder.common : store.path)
  if (fault.code === 'disk-full') throw fault
  const inTheWay = store.hub.kind === 'local' ? await lookForCauses(store, updates) : undefined
  if (inTheWay !== undefined) return inTheWay
  if (isAnswered(ran)) return { kind: 'refused', message: hubsWords(ran) }
  if (store.hub.kind === 'local') throw fault
  throw unreachable(store.hub.name, lastLines(ran.stderr) || `exit ${ran.exitCode}`)
}

/** What the values on the hub say about a push that did not go through. */
export function compareRefs(
  updates: readonly RefUpdate[],
  actual: RefValues,
): Extract<Pushed, { kind: 'pushed' | 'moved' }> | { readonly kind: 'unmoved' } {
  const values = updates.map((update) => ({ ...update, is: actual.get(update.ref) ?? null }))
  if (values.every(({ is, to }) => is === to)) return { kind: 'pushed' }
  const moved = values.find(({ is, from, to }) => is !== from && is !== to)
  if (moved === undefined) return { kind: 'unmoved' }
  return { kind: 'moved', ref: moved.ref, actual: moved.is === null ? null : commitSha(moved.is) }
}

/** On a hub of this machine: locks that are held, and working trees that stand in the way. */
async function lookForCauses(store: Store, updates: readonly RefUpdate[]): Promise<Attempt | undefined> {
  const { hub } = store
  if (hub.kind !== 'local') return undefined
  const refs = updates.map(({ ref }) => ref)
  for (const checkout of await findCheckouts(hub.folder, refs)) {
    const update = updates.find(({ ref }) => ref === checkout.ref)
    if (update === undefined) continue
    const state = await lookAtCheckout(store, checkout, update)
    if (state.kind === 'unfinished') return { kind: 'unfinished', checkout, update }
    if (state.kind === 'locked') throw locked(state.lock)
    if (state.kind === 'dirty') return dirty(checkout.path, state.example)
  }
  const [lock] = (await findLocks(hub.folder.common, refs)).filter((path) => !path.endsWith('/index.lock'))
  if (lock !== undefined) throw locked(lock)
  return undefined
}

const dirty = (folder: string, example: string): Pushed => ({
  kind: 'checked-out-dirty',
  folder,
  todo: `commit or stash your changes in ${folder} (${example} is one; git stash --include-untracked puts all aside), then run: gaffer land TASK`,
})

const inRebase = (folder: string): Pushed => ({
  kind: 'checked-out-dirty',
  folder,
  todo: `finish the rebase in ${folder} (git rebase --continue, or --abort), then run: gaffer land TASK`,
})

/** Later questions about the hub's refs know of the push, also when git had no need to note it. */
async function rememberPushed(store: Store, reader: ObjectReader, updates: readonly RefUpdate[]): Promise<void> {
  const stale = await Promise.all(
    updates.map(async ({ ref, to }) => {
      const place = kept(ref)
      if (place === undefined) return []
      return (await reader.look(place))?.sha === to ? [] : [`update ${place} ${to}\n`]
    }),
  )
  const lines = stale.flat()
  if (lines.length > 0) await git(store.place, ['update-ref', '--stdin'], { stdin: lines.join('') })
}

/** `!TAB<from>:<to>TAB<reason>`: the hub, or git for it, answered about a ref. Without one the talk itself failed. */
const isAnswered = ({ stdout }: GitRan): boolean =>
  stdout
    .toString('utf8')
    .split('\n')
    .some((line) => line.startsWith('!\t'))

/** What a hook or a server printed, and the reason it gave for each ref. */
export function hubsWords({ stdout, stderr }: Pick<GitRan, 'stdout' | 'stderr'>): string {
  const said = stderr
    .split('\n')
    .filter((line) => line.startsWith('remote:'))
    .map((line) => line.replace(/^remote: ?/, ''))
  const reasons = stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line.startsWith('!\t'))
    .map((line) => line.split('\t').at(-1) ?? '')
  const words = [...said, ...new Set(reasons)].map((line) => printable(line).trimEnd()).filter((line) => line !== '')
  return redact(words.join('\n').slice(0, 4_000)) || 'the hub refused the push and gave no reason'
}

/** A server's words are shown on terminals: nothing in them may steer one. */
const printable = (line: string): string => line.replace(/\p{Cc}\[[0-9;?]*[A-Za-z]/gu, '').replace(/[^\P{Cc}\t]/gu, '')

function checkUpdates(updates: readonly RefUpdate[]): void {
  const wrong = updates.find(({ ref }) => !isRefName(ref))
  if (wrong !== undefined) throw badRef(wrong.ref, 'it is no full ref name')
  const twice = updates.find(({ ref }, index) => updates.findIndex((other) => other.ref === ref) !== index)
  if (twice !== undefined) throw badRef(twice.ref, 'it is given twice')
}

/** The rules of git-check-ref-format(1). */
export const isRefName = (ref: string): boolean =>
  ref.startsWith('refs/') &&
  !/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\.$/u.test(ref) &&
  ref.split('/').length >= 3 &&
  ref.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))

const badRef = (ref: string, why: string): Fault =>
  new Fault('bad-input', `${JSON.stringify(ref)} cannot be pushed: ${why}`, {
    hint: 'give each ref once, by its full name, such as refs/heads/main',
  })
