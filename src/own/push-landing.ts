import type { CommitSha } from '../domain/ids.ts'
import { refs } from '../domain/settings.ts'
import type { RefUpdate, Repository } from '../ports/repository.ts'
import { gafferPerson } from './commit-message.ts'
import { evidenceReadme, landingPath } from './evidence-layout.ts'
import type { PreparedLanding } from './landing.ts'

export type LandingPushed =
  | { readonly kind: 'landed'; readonly commit: CommitSha }
  /** Main is elsewhere than the landing expected: compose it again. null: the branch is gone. */
  | { readonly kind: 'moved'; readonly actual: CommitSha | null }
  | { readonly kind: 'refused'; readonly message: string }
  /** Main is checked out with local edits; `todo` says how to land. */
  | { readonly kind: 'dirty'; readonly folder: string; readonly todo: string }

/** Other tasks land at the same time and move the evidence; each turn of this loop means that one of them got through. */
const tries = 20

/**
 * Moves main and the evidence in one atomic push, each only from where it was seen. Safe to repeat at any point: what
 * went through is recognised as landed, whatever landed after it.
 */
export async function pushLanding(repository: Repository, prepared: PreparedLanding): Promise<LandingPushed> {
  const branch = `refs/heads/${prepared.branch}`
  const { commit, base } = prepared.attempt
  let main: CommitSha | undefined
  for (let turn = 0; turn < tries; turn += 1) {
    await repository.fetch()
    main = await repository.head(branch)
    if (main === undefined) return { kind: 'moved', actual: null }
    const evidence = await repository.head(refs.evidence)
    const landed = await repository.isAncestor(commit, main)
    if (!landed && main !== base) return { kind: 'moved', actual: main }
    if (landed && evidence !== undefined && (await holds(repository, evidence, prepared)))
      return { kind: 'landed', commit }

    const kept = await commitEvidence(repository, evidence, prepared)
    const updates: RefUpdate[] = [{ ref: refs.evidence, from: evidence ?? null, to: kept }]
    if (!landed) updates.push({ ref: branch, from: base, to: commit })
    const pushed = await repository.push(updates)
    switch (pushed.kind) {
      case 'pushed':
        return { kind: 'landed', commit }
      case 'refused':
        return { kind: 'refused', message: pushed.message }
      case 'checked-out-dirty':
        return { kind: 'dirty', folder: pushed.folder, todo: pushed.todo }
      case 'moved':
    }
  }
  return { kind: 'moved', actual: main ?? null }
}

const holds = async (repository: Repository, evidence: CommitSha, { attempt }: PreparedLanding): Promise<boolean> =>
  (await repository.read(evidence, landingPath(attempt.base, attempt.commit))) !== undefined

/** The next commit of the evidence chain: its first parent is the one before; the others are what it keeps alive. */
async function commitEvidence(
  repository: Repository,
  before: CommitSha | undefined,
  { task, attempt, files, keeps, at }: PreparedLanding,
): Promise<CommitSha> {
  const parent = before ?? (await firstEvidence(repository))
  return repository.commit({
    tree: await repository.edit(await repository.treeOf(parent), files),
    parents: [parent, attempt.commit, ...keeps.filter((kept) => kept !== attempt.commit)],
    message: `Evidence of ${task}`,
    author: gafferPerson,
    committer: gafferPerson,
    at,
  })
}

/** The same in every repository: what the evidence chain begins with. */
const firstEvidence = async (repository: Repository): Promise<CommitSha> =>
  repository.commit({
    tree: await repository.edit(null, { 'README.md': evidenceReadme }),
    parents: [],
    message: 'Evidence',
    author: gafferPerson,
    committer: gafferPerson,
    at: '2026-01-01T00:00:00Z',
  })
