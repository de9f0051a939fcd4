import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Verification } from '../../src/domain/evidence.ts'
import { commitSha, type CommitSha } from '../../src/domain/ids.ts'
import { refs } from '../../src/domain/settings.ts'
import { verifyCommits } from '../../src/own/verify.ts'
import type { CommitInfo, CommitInput } from '../../src/ports/repository.ts'
import { buildTask, landSigned, landTask, makeTeam, signTask, type Landed, type Team } from '../landed-chain.ts'

/**
 * One valid chain of three landings, the last of them on a main that had moved; then any one thing about any of them
 * is changed. What follows a changed commit is made again on top of it, as a rewrite of history does.
 */
let team: Team
let landings: readonly Landed[]
let evidence: CommitSha
let main: CommitSha

beforeAll(async () => {
  team = await makeTeam()
  const first = await landTask(team, { id: 'first-task-222' })
  const signed = await signTask(team, await buildTask(team, { id: 'third-task-444' }))
  const second = await landTask(team, { id: 'second-task-333' })
  landings = [first, second, await landSigned(team, signed)]
  main = commitSha(await team.hub.git('rev-parse', 'main'))
  evidence = commitSha(await team.hub.git('rev-parse', refs.evidence))
})
afterAll(() => team[Symbol.asyncDispose]())

const which = fc.nat(2)
const verified = async (head: CommitSha = main, kept: CommitSha = evidence): Promise<Verification> => {
  const history = team.repository
  return verifyCommits({ history, commits: await history.commits(team.adopted, head), evidence: kept })
}

/** Main with the chosen commit made again as `change` says, and the later ones on top of it. */
async function rewritten(
  at: number,
  change: (commit: CommitInfo) => Promise<Partial<CommitInput>>,
): Promise<CommitSha> {
  const { repository } = team
  const commits = await repository.commits(team.adopted, main)
  const chosen = commits[at]
  if (chosen === undefined) throw new Error('no such landing')
  const again = async (commit: CommitInfo, more: Partial<CommitInput>): Promise<CommitSha> =>
    repository.commit({ ...commit, at: commit.committer.at, ...more })
  let tip = await again(chosen, await change(chosen))
  for (const commit of commits.slice(at + 1)) tip = await again(commit, { parents: [tip] })
  return tip
}

/** The evidence with some files written or removed. */
async function edited(files: Readonly<Record<string, string | null>>): Promise<CommitSha> {
  const { repository } = team
  const tree = await repository.edit(await repository.treeOf(evidence), files)
  const { author, committer } = await repository.commitInfo(evidence)
  return repository.commit({ tree, parents: [evidence], message: 'x', author, committer, at: committer.at })
}

const editOf = (text: string, at: number, other: string): string => {
  const place = at % text.length
  return text.slice(0, place) + other + text.slice(place + 1)
}

describe('a chain of landings', () => {
  it('verifies as it is', async () => {
    expect((await verified()).ok).toBe(true)
    expect(landings.map(({ plan }) => plan.kind)).toEqual(['direct', 'direct', 'merged'])
  })

  it('does not verify after any change of a commit', async () => {
    const person = fc.constantFrom({ name: 'Somebody', email: 'somebody@example.com' })
    const changes = fc.oneof(
      fc
        .record({ at: fc.nat(500), other: fc.string({ maxLength: 3 }) })
        .map((edit) => ({ kind: 'message' as const, ...edit })),
      person.map((author) => ({ kind: 'author' as const, author })),
      person.map((committer) => ({ kind: 'committer' as const, committer })),
      fc.integer({ min: 1, max: 10_000 }).map((seconds) => ({ kind: 'date' as const, seconds })),
      fc.string({ minLength: 1 }).map((text) => ({ kind: 'tree' as const, text })),
      fc.constant({ kind: 'parent' as const }),
    )
    await fc.assert(
      fc.asyncProperty(which, changes, async (at, change) => {
        const head = await rewritten(at, async (commit) => {
          switch (change.kind) {
            case 'message':
              return { message: editOf(commit.message, change.at, change.other) }
            case 'author':
              return { author: change.author }
            case 'committer':
              return { committer: change.committer }
            case 'date':
              return { at: new Date(Date.parse(commit.committer.at) + change.seconds * 1_000).toISOString() }
            case 'tree':
              return { tree: await team.repository.edit(commit.tree, { 'a.txt': `one\n${change.text}` }) }
            case 'parent':
              return { parents: [...commit.parents, team.adopted] }
          }
        })
        fc.pre(head !== main) // an edit may put the same there again
        const { ok, commits } = await verified(head)
        expect(ok).toBe(false)
        expect(commits[at]?.status).toBe('tampered')
      }),
      { numRuns: 25 },
    )
  }, 120_000)

  it('does not verify after any change of one byte of evidence, or with a file removed', async () => {
    await fc.assert(
      fc.asyncProperty(
        which,
        fc.nat(),
        fc.nat(),
        fc.option(fc.string({ minLength: 1, maxLength: 1 })),
        async (at, file, place, other) => {
          const files = Object.entries(landings[at]?.prepared.files ?? {})
          const [path, content] = files[file % files.length] ?? ['', '']
          const text = other === null ? null : editOf(content, place, other)
          fc.pre(text === null || Buffer.from(text).compare(Buffer.from(content)) !== 0)
          const { ok, commits } = await verified(main, await edited({ [path]: text }))
          expect(ok).toBe(false)
          expect(commits.map(({ status }) => status === 'tampered')).toEqual([0, 1, 2].map((index) => index === at))
        },
      ),
      { numRuns: 35 },
    )
  }, 120_000)

  it('does not verify with any two files of the evidence in the place of each other', async () => {
    const all = landings.flatMap(({ prepared }) => Object.entries(prepared.files))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...all), fc.constantFrom(...all), async (one, two) => {
        fc.pre(one[1] !== two[1])
        expect((await verified(main, await edited({ [one[0]]: two[1], [two[0]]: one[1] }))).ok).toBe(false)
      }),
      { numRuns: 12 },
    )
  }, 120_000)
})
