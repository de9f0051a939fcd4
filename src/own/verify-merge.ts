import type { LandingPredicate } from '../domain/evidence.ts'
import type { CommitSha } from '../domain/ids.ts'
import { paths } from '../domain/settings.ts'
import type { CommitInfo, History } from '../ports/repository.ts'
import { addChangelogEntry, type ChangelogEntry } from './changelog.ts'
import { strictUtf8 } from './dsse.ts'
import { dossierOf } from './evidence-layout.ts'
import type { ReadBase } from './protected-base.ts'
import { checkEvidence, type CheckedDossier, type Claim } from './verify-dossier.ts'

interface Look {
  readonly history: History
  readonly baseOf: (commit: CommitSha) => Promise<ReadBase>
  readonly evidenceFiles: (paths: readonly string[]) => Promise<ReadonlyMap<string, Uint8Array>>
}
type Fitting = Extract<CheckedDossier, { kind: 'fits' }>
type Merge = NonNullable<LandingPredicate['merge']>

/**
 * Main had moved between signature and landing. Then the commit has to be what git makes of the signed candidate on the
 * new base, recomputed here; message, author and dates stay the candidate's. Trees are only ever compared by id.
 */
export async function checkMerge(
  look: Look,
  claim: Claim,
  merge: Merge,
  dossier: Fitting,
): Promise<string | undefined> {
  const { history } = look
  const { commit, landing, base } = claim
  const { signOff } = dossier
  if (base.settings.review.resign) return 'main had moved, and the settings ask the owner to sign again then'
  if (signOff.base === landing.base) return 'it is not the candidate, although main had not moved'
  const [candidate, work, merged] = await Promise.all(
    [landing.candidate, merge.work, merge.merged].map((sha) => commitOf(history, sha)),
  )
  if (candidate === undefined || work === undefined || merged === undefined)
    return 'the candidate that its owner signed is not in this repository'
  if (!onlyParent(candidate, signOff.base) || candidate.tree !== signOff.tree)
    return 'the candidate is not what its owner signed'
  if (!sameWords(candidate, commit)) return 'its message, author or dates are not those its owner signed'
  if (!(await isOnMain(history, signOff.base, landing.base))) return 'its owner signed it on another history'

  const entry = { task: landing.task, type: dossier.type, title: dossier.title }
  if (!onlyParent(work, signOff.base) || !(await addsOnlyEntry(history, { from: work, to: candidate, entry })))
    return 'what was merged is not what its owner signed'
  const again = await history.merge(landing.base, work.sha)
  if (!onlyParent(merged, landing.base) || again.kind === 'conflict' || again.tree !== merged.tree)
    return 'its tree is not what git makes of the signed change on that base'
  if (!(await addsOnlyEntry(history, { from: merged, to: commit, entry })))
    return 'its tree is not the merged change with its changelog entry'
  return checkSignedEvidence(look, claim, dossier)
}

/** What the owner saw was complete too, by the settings of then and the keys of now. */
async function checkSignedEvidence(look: Look, { landing, base }: Claim, { signOff }: Fitting) {
  const then = await look.baseOf(signOff.base)
  if (then.kind === 'unusable') return `the settings it was signed under cannot be used: ${then.why}`
  if (then.base.policy !== signOff.policy) return 'its owner signed it under other settings'
  const { task, candidate } = landing
  const { tree, evidence: list } = signOff
  const files = await look.evidenceFiles(
    list.map(({ gate, digest }) => dossierOf(task, candidate).evidence(gate, digest)),
  )
  const { required } = then.base
  const why = checkEvidence({ task, candidate, tree, base: signOff.base, list, required, keys: base.keys }, files)
  return why === undefined ? undefined : `before the merge, ${why}`
}

async function commitOf(history: History, sha: CommitSha): Promise<CommitInfo | undefined> {
  return (await history.resolve(sha)) === undefined ? undefined : history.commitInfo(sha)
}

const onlyParent = ({ parents }: CommitInfo, parent: CommitSha): boolean =>
  parents.length === 1 && parents[0] === parent

const sameWords = (a: CommitInfo, b: CommitInfo): boolean =>
  a.message === b.message && samePerson(a.author, b.author) && samePerson(a.committer, b.committer)

const samePerson = (a: CommitInfo['author'], b: CommitInfo['author']): boolean =>
  a.name === b.name && a.email === b.email && a.at === b.at

/** Whether `older` is among the first parents of `newer`. */
async function isOnMain(history: History, older: CommitSha, newer: CommitSha): Promise<boolean> {
  const [oldest] = await history.commits(older, newer)
  return oldest?.parents[0] === older
}

interface Step {
  readonly from: CommitInfo
  readonly to: CommitInfo
  readonly entry: ChangelogEntry
}

async function addsOnlyEntry(history: History, { from, to, entry }: Step): Promise<boolean> {
  const changes = await history.changes(from.tree, to.tree)
  const ours = changes.every(
    ({ path, before, after }) => path === paths.changelog && after?.mode === (before?.mode ?? '100644'),
  )
  if (!ours) return false
  const [before, after] = [await changelogOf(history, from), await changelogOf(history, to)]
  return before !== 'unreadable' && addChangelogEntry(before, entry) === after
}

async function changelogOf(history: History, { tree }: CommitInfo): Promise<string | undefined> {
  const bytes = (await history.readMany(tree, [paths.changelog])).get(paths.changelog)
  return bytes === undefined ? undefined : (strictUtf8(bytes) ?? 'unreadable')
}
