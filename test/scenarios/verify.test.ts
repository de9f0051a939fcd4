import { generateKeyPairSync, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Verification } from '../../src/domain/evidence.ts'
import { commitSha, taskId, treeSha, type CommitSha } from '../../src/domain/ids.ts'
import { digestOf } from '../../src/domain/json.ts'
import { paths, refs } from '../../src/domain/settings.ts'
import { unavailable, verdictOf, type Verdict } from '../../src/domain/verdict.ts'
import { keyIdOf, sealEnvelope, type EnvelopeSigner } from '../../src/own/dsse.ts'
import { dossierOf, landingPath } from '../../src/own/evidence-layout.ts'
import { loadInstanceKey } from '../../src/own/instance-key.ts'
import type { Trust } from '../../src/own/protected-base.ts'
import { evidenceStatement, landingStatement, readEvidence, readLanding } from '../../src/own/statements.ts'
import { verify } from '../../src/own/verify.ts'
import { editEvidence, forge, type Forgery } from '../forged-evidence.ts'
import {
  gaffer,
  landSigned,
  landTask,
  makeTeam,
  people,
  pushByHand,
  resetTeam,
  signTask,
  buildTask,
  type Landed,
  type Team,
} from '../landed-chain.ts'
import { git } from '../repositories.ts'

let shared: Team
let team: Team
beforeAll(async () => {
  shared = await makeTeam()
})
beforeEach(async () => {
  team = shared
  await resetTeam(team)
})
afterEach(async () => {
  if (team !== shared) await team[Symbol.asyncDispose]()
})
afterAll(() => shared[Symbol.asyncDispose]())

const verified = async (range?: string, trust?: Trust): Promise<Verification> =>
  verify(await team.repositories.inspect(team.hub.folder), range, trust)
const statuses = async (range?: string) => (await verified(range)).commits.map(({ status }) => status)

/** The head of main, made again with another message, author, date or parent. */
async function rewriteHead(change: {
  message?: string
  author?: string
  date?: string
  parent?: string
  tree?: string
}) {
  const { hub } = team
  const [tree, parent, message, author, date] = await Promise.all(
    ['%T', '%P', '%B', '%an', '%ad'].map((format) => hub.git('log', '-1', '--date=raw', `--format=${format}`, 'main')),
  )
  const made = await git(
    hub.folder,
    [
      'commit-tree',
      change.tree ?? tree ?? '',
      '-p',
      change.parent ?? parent ?? '',
      '-m',
      change.message ?? message ?? '',
    ],
    {
      env: {
        GIT_AUTHOR_NAME: change.author ?? author ?? '',
        GIT_AUTHOR_EMAIL: 'agent+replay@gaffer.invalid',
        GIT_AUTHOR_DATE: change.date ?? date ?? '',
        GIT_COMMITTER_NAME: 'Gaffer',
        GIT_COMMITTER_EMAIL: 'gaffer@gaffer.invalid',
        GIT_COMMITTER_DATE: date ?? '',
      },
    },
  )
  await hub.git('update-ref', 'refs/heads/main', made)
  return commitSha(made)
}

const strangeKey = (): EnvelopeSigner => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return { keyId: keyIdOf(publicKey), sign: (bytes) => sign(null, bytes, privateKey) }
}

describe('a history in which everything landed', () => {
  it('is attested, commit by commit, with task and owner', async () => {
    const first = await landTask(team)
    const second = await landTask(team, { id: 'mend-order-8m3', brief: { type: 'fix', title: 'Mend an order' } })
    expect(await verified()).toEqual({
      ok: true,
      commits: [first, second].map(({ commit, task }) => ({
        sha: commit,
        status: 'attested',
        task: task.id,
        owner: people.alice,
      })),
    })
  })

  it('is attested from a plain clone that fetched the evidence, with nothing else at hand', async () => {
    await landTask(team)
    const clone = join(team.place.path, 'clone')
    await git(team.place.path, ['clone', '--quiet', team.hub.folder, clone])
    const before = await verify(await team.repositories.inspect(clone))
    expect(before.ok).toBe(false)
    expect(before.commits[0]?.why).toContain('git fetch origin refs/gaffer/evidence')
    await git(clone, ['fetch', '--quiet', 'origin', `${refs.evidence}:${refs.evidence}`])
    expect((await verify(await team.repositories.inspect(clone))).ok).toBe(true)
  })

  it('has nothing to say right after adoption', async () => {
    expect(await verified()).toEqual({ ok: true, commits: [] })
  })

  it('is attested in a repository that names objects by SHA-256 too', async () => {
    team = await makeTeam({ objectFormat: 'sha256' })
    const signed = await signTask(team, await buildTask(team))
    await landTask(team, { id: 'mend-order-8m3' })
    await landSigned(team, signed)
    expect(await statuses()).toEqual(['attested', 'attested'])
  })
})

describe('a landing on a main that had moved', () => {
  const landOnMoved = async (moved: () => Promise<unknown>): Promise<Landed> => {
    const signed = await signTask(team, await buildTask(team))
    await moved()
    return landSigned(team, signed)
  }

  it('is attested: the merge is what git makes of it', async () => {
    const landed = await landOnMoved(() => landTask(team, { id: 'mend-order-8m3' }))
    expect(landed.plan.kind).toBe('merged')
    expect(await statuses()).toEqual(['attested', 'attested'])
    const changelog = (await team.hub.text('main', paths.changelog)) ?? ''
    expect(changelog.match(/^- Read one order \(.*\)$/gm)).toEqual([
      '- Read one order (mend-order-8m3)',
      '- Read one order (read-one-order-7k2)',
    ])
  })

  it('is attested where what moved main is a bypass, which stays one', async () => {
    await landOnMoved(() => pushByHand(team, { 'other.txt': 'x\n' }))
    expect(await statuses()).toEqual(['bypass', 'attested'])
  })

  it.each([
    ['has another tree than the merge', { tree: 'z.txt' }],
    ['has a changelog beside the entry', { tree: paths.changelog }],
  ])('is tampered with when it %s', async (_, { tree: path }) => {
    const landed = await landOnMoved(() => pushByHand(team, { 'other.txt': 'x\n' }))
    const { repository } = team
    const { message, author, committer } = await repository.commitInfo(landed.commit)
    const text = (await repository.read(landed.commit, path)) ?? ''
    const tree = await repository.edit(await repository.treeOf(landed.commit), { [path]: `${text}more\n` })
    const { base } = landed.plan.attempt
    const commit = await repository.commit({ tree, parents: [base], message, author, committer, at: committer.at })
    await hubMain(commit)
    const swapped: Landed = { ...landed, prepared: { ...landed.prepared, attempt: { commit, tree, base } } }
    await forgeMerged(swapped, landed)
    const [, last] = (await verified()).commits
    expect(last).toMatchObject({ status: 'tampered' })
    expect(last?.why).toMatch(/merged change|merge/)
  })

  it('is tampered with when main had not moved at all, or another commit was merged', async () => {
    const landed = await landOnMoved(() => pushByHand(team, { 'other.txt': 'x\n' }))
    for (const [merge, why] of [
      [{ work: landed.plan.attempt.base, merged: landed.plan.attempt.base }, 'what was merged is not'],
      [null, 'signed another commit'],
    ] as const) {
      await forgeMerged(landed, landed, (predicate) => ({ ...predicate, merge }))
      expect((await verified()).commits[1]).toMatchObject({ status: 'tampered', why: expect.stringContaining(why) })
    }
  })

  it('needs a new signature where the settings ask for one', async () => {
    team = await makeTeam({ gaffer: `${gaffer}review: { resign: true }\n` })
    await expect(landOnMoved(() => pushByHand(team, { 'other.txt': 'x\n' }))).rejects.toThrow('sign-again')
  })

  async function hubMain(commit: CommitSha): Promise<void> {
    await team.repository.push([{ ref: 'refs/heads/aside', from: null, to: commit }])
    await team.hub.git('update-ref', 'refs/heads/main', commit)
  }

  /** The landing statement, and the evidence about the merged tree, made again for another commit. */
  async function forgeMerged(
    landed: Landed,
    honest: Landed,
    change: NonNullable<Forgery['landing']> = (predicate) => predicate,
  ): Promise<void> {
    const dossier = dossierOf(honest.task.id, honest.composed.candidate.commit)
    const { attempt, files } = honest.prepared
    const payload = (text: string): string =>
      Buffer.from((JSON.parse(text) as { payload: string }).payload, 'base64').toString('utf8')
    const before = readLanding(payload(files[landingPath(attempt.base, attempt.commit)] ?? ''))
    if (before === undefined) throw new Error('no landing statement')
    const evidence = before.evidence.map(({ gate, digest }) => {
      const read = readEvidence(payload(files[dossier.evidence(gate, digest)] ?? ''))
      if (read === undefined) throw new Error(`no evidence of ${gate}`)
      const sealed = sealEnvelope(evidenceStatement(landed.prepared.attempt.tree, read.predicate), team.key)
      return { gate, digest: digestOf(sealed), sealed }
    })
    const { commit, tree, base } = landed.prepared.attempt
    const list = evidence.map(({ gate, digest }) => ({ gate, digest }))
    const statement = landingStatement(change({ ...before, commit, tree, base, evidence: list }))
    await editEvidence(team, {
      ...Object.fromEntries(evidence.map(({ gate, digest, sealed }) => [dossier.evidence(gate, digest), sealed])),
      [landingPath(base, commit)]: sealEnvelope(statement, team.key),
    })
  }
})

describe('a commit outside the chain', () => {
  it('is a bypass', async () => {
    await landTask(team)
    const sha = await pushByHand(team, { 'a.txt': 'by hand\n' })
    const { ok, commits } = await verified()
    expect(ok).toBe(false)
    expect(commits[1]).toEqual({ sha, status: 'bypass', why: 'the evidence has no landing statement about it' })
  })

  it('that merges something else in is a bypass, and what lands after it is not', async () => {
    const main = await team.hub.head('main')
    const side = await pushByHand(team, { 'side.txt': 'x\n' })
    await team.hub.git('update-ref', 'refs/heads/main', main ?? '')
    const tree = await team.hub.git('rev-parse', `${side}^{tree}`)
    const merge = await team.hub.git('commit-tree', tree, '-p', main ?? '', '-p', side, '-m', 'Merge side')
    await team.hub.git('update-ref', 'refs/heads/main', merge)
    await landTask(team)
    expect((await verified()).commits).toMatchObject([
      { sha: merge, status: 'bypass', why: expect.stringContaining('merge commit') },
      { status: 'attested' },
    ])
  })

  it('that takes the place of one that landed is tampered with, even when it names no task', async () => {
    await landTask(team)
    await rewriteHead({ message: 'chore: nothing to see' })
    expect((await verified()).commits).toMatchObject([
      { status: 'tampered', why: expect.stringContaining('rewritten') },
    ])
  })

  it('that deletes the files of trust is a bypass, and cannot make a new beginning', async () => {
    await landTask(team)
    await pushByHand(team, { [paths.allowedSigners]: null })
    await pushByHand(team, { [paths.allowedSigners]: `${people.eve} ${await publicKey('eve')}\n` })
    expect(await statuses()).toEqual(['attested', 'bypass', 'bypass'])
  })
})

describe('a commit that landed and was rewritten', () => {
  it.each([
    ['message', { message: 'feat: something else\n\nGaffer-Task: read-one-order-7k2' }],
    ['author', { author: 'Somebody Else' }],
    ['date', { date: '2026-03-02T00:00:00Z' }],
  ])('with another %s is tampered with', async (_, change) => {
    await landTask(team)
    const sha = await rewriteHead(change)
    expect((await verified()).commits).toMatchObject([{ sha, status: 'tampered', task: 'read-one-order-7k2' }])
  })

  it('onto another parent, or with another tree, is tampered with', async () => {
    const first = await landTask(team)
    await landTask(team, { id: 'mend-order-8m3' })
    await rewriteHead({ parent: team.adopted })
    expect(await statuses()).toEqual(['tampered'])
    await rewriteHead({ parent: first.commit, tree: `${first.commit}^{tree}` }).catch(() => undefined)
    await rewriteHead({ parent: first.commit, tree: await team.hub.git('rev-parse', `${first.commit}^{tree}`) })
    expect(await statuses()).toEqual(['attested', 'tampered'])
  })

  it('under a copied landing statement is tampered with', async () => {
    const { prepared, commit } = await landTask(team)
    const sha = await rewriteHead({ author: 'Somebody Else' })
    const { base } = prepared.attempt
    await editEvidence(team, { [landingPath(base, sha)]: prepared.files[landingPath(base, commit)] ?? '' })
    expect((await verified()).commits).toMatchObject([
      { sha, status: 'tampered', why: expect.stringContaining('about another commit') },
    ])
  })
})

describe('evidence that went missing or was edited', () => {
  it('as a whole makes what landed tampered with, and says how to fetch it', async () => {
    await landTask(team)
    await team.hub.git('update-ref', '-d', refs.evidence)
    expect((await verified()).commits).toMatchObject([
      { status: 'tampered', why: expect.stringContaining('refs/gaffer/evidence is not here') },
    ])
  })

  it('file by file makes the landing tampered with', async () => {
    const { prepared } = await landTask(team)
    const head = (await team.hub.head(refs.evidence)) ?? ''
    for (const [path, content] of Object.entries(prepared.files))
      for (const edit of [null, `${content} `, content.replace(/[a-f]/, 'g')]) {
        await editEvidence(team, { [path]: edit })
        expect(await statuses(), `${path} ${edit === null ? 'removed' : 'edited'}`).toEqual(['tampered'])
        await team.hub.git('update-ref', refs.evidence, head)
      }
    expect(await statuses()).toEqual(['attested'])
  }, 120_000)
})

describe('a dossier in which everything fits but one thing', () => {
  const finding = { gate: 'tests', rule: 'r', level: 'error', message: 'm', place: null, mend: null } as const
  const cause = { code: 'command-missing', message: 'm', hint: 'h', retryable: false } as const
  const some = digestOf('something else')
  const elsewhere = commitSha('e'.repeat(40))
  const onTests =
    (verdict: Verdict): NonNullable<Forgery['verdict']> =>
    (predicate) =>
      predicate.gate === 'tests' ? { ...predicate, result: { ...predicate.result, verdict } } : predicate

  const forgeries: readonly [string, Forgery, string][] = [
    ['is signed by another person than the owner', { signer: 'bob' }, 'no valid signature of alice'],
    ['is signed by somebody nobody allowed', { signer: 'eve' }, 'no valid signature of alice'],
    [
      'names another person, who is allowed, as owner and signer',
      {
        signer: 'bob',
        signOff: (it) => ({ ...it, owner: people.bob }),
        landing: (it) => ({ ...it, owner: people.bob }),
      },
      'its owner is alice@example.com',
    ],
    ['has the signature over another owner', { signOff: (it) => ({ ...it, owner: people.bob }) }, 'for another owner'],
    [
      'has the signature over another tree',
      { signOff: (it) => ({ ...it, tree: treeSha('e'.repeat(40)) }) },
      'signed another tree',
    ],
    ['has the signature over another parent', { signOff: (it) => ({ ...it, base: elsewhere }) }, 'on another parent'],
    [
      'has the signature over another candidate',
      { signOff: (it) => ({ ...it, candidate: elsewhere }) },
      'for another candidate',
    ],
    ['has the signature under other settings', { signOff: (it) => ({ ...it, policy: some }) }, 'under other settings'],
    ['has the signature over another title', { signOff: (it) => ({ ...it, title: 'Nothing' }) }, 'another title'],
    [
      'has the signature over another brief',
      { signOff: (it) => ({ ...it, brief: some }) },
      'brief is missing or was edited',
    ],
    [
      'has the signature over other evidence',
      { signOff: (it) => ({ ...it, evidence: [{ gate: 'tests', digest: some }] }) },
      'signed other evidence',
    ],
    [
      'has the signature for another task',
      { signOff: (it) => ({ ...it, task: taskId('another-task-9n4') }) },
      'for another task, another-task-9n4',
    ],
    ['has a failed verdict', { verdict: onTests(verdictOf([finding], { tests: 1 })) }, 'evidence of tests says failed'],
    ['has an unavailable verdict', { verdict: onTests(unavailable(cause)) }, 'evidence of tests says unavailable'],
    ['has evidence about another tree', { about: treeSha('e'.repeat(40)) }, 'is about another tree'],
    ['has evidence against another base', { verdict: (it) => ({ ...it, base: elsewhere }) }, 'another base'],
    [
      'has evidence of another task',
      { verdict: (it) => ({ ...it, task: taskId('another-task-9n4') }) },
      'another task',
    ],
    [
      'has evidence of one gate in the place of another',
      { verdict: (it) => ({ ...it, gate: 'lint', result: { ...it.result, gate: 'lint' } }) },
      'is of another gate',
    ],
    ['has evidence under other settings', { verdict: (it) => ({ ...it, settings: some }) }, 'under other settings'],
    ['lacks a required gate', { without: ['tests'] }, 'no evidence of the required tests'],
    ['lacks a gate that is never declared', { without: ['secrets'] }, 'no evidence of the required secrets'],
    ['has evidence sealed with an unknown key', { verdictKey: strangeKey() }, 'not trusted'],
    [
      'has a landing statement sealed with an unknown key',
      { landingKey: strangeKey() },
      'its landing statement is signed with a key that is not trusted',
    ],
    [
      'has a landing statement about another tree',
      { landing: (it) => ({ ...it, tree: treeSha('e'.repeat(40)) }) },
      'another tree',
    ],
    [
      'has a landing statement about another parent',
      { landing: (it) => ({ ...it, base: elsewhere }) },
      'another parent',
    ],
    [
      'has a landing statement that says it was merged',
      { landing: (it) => ({ ...it, merge: { work: it.commit, merged: it.commit } }) },
      'although main had not moved',
    ],
  ]
  it.each(forgeries)('%s: tampered with', async (_, forgery, why) => {
    const landed = await landTask(team)
    await forge(team, landed, {})
    expect(await statuses(), 'a dossier made again as it was').toEqual(['attested'])
    await forge(team, landed, forgery)
    const [commit] = (await verified()).commits
    expect(commit).toMatchObject({ sha: landed.commit, status: 'tampered', task: landed.task.id })
    expect(commit?.why).toContain(why)
  })

  it('cannot borrow the signature of another task', async () => {
    const first = await landTask(team)
    const second = await landTask(team, { id: 'mend-order-8m3' })
    const from = Object.entries(first.prepared.files)
    const to = Object.keys(second.prepared.files)
    for (const name of ['sign-off.json', 'sign-off.json.sig']) {
      const [, content] = from.find(([path]) => path.endsWith(name)) ?? []
      const target = to.find((path) => path.endsWith(name)) ?? ''
      await editEvidence(team, { [target]: content ?? '' })
    }
    await forgeLanding(second, first)
    expect((await verified()).commits[1]).toMatchObject({
      status: 'tampered',
      why: expect.stringContaining('for another task, read-one-order-7k2'),
    })
  })

  /** Points the landing of one task at the signature of another, with the instance's own key. */
  async function forgeLanding(landed: Landed, other: Landed): Promise<void> {
    const path = landingPath(landed.prepared.attempt.base, landed.commit)
    const { payload } = JSON.parse(landed.prepared.files[path] ?? '') as { payload: string }
    const before = readLanding(Buffer.from(payload, 'base64').toString('utf8'))
    if (before === undefined) throw new Error('no landing statement')
    const signOff = digestOf(other.task.candidate.statement)
    const signature = digestOf(other.task.signature.armoured)
    await editEvidence(team, { [path]: sealEnvelope(landingStatement({ ...before, signOff, signature }), team.key) })
  }
})

describe('whom to believe', () => {
  it('is never for the change itself to say', async () => {
    const allowed = `${people.alice} ${await publicKey('eve')}\n`
    const task = await buildTask(team, { files: { [paths.allowedSigners]: allowed } })
    const landed = await landSigned(team, await signTask(team, task, 'eve'))
    expect((await verified()).commits).toMatchObject([
      { sha: landed.commit, status: 'tampered', why: expect.stringContaining('no valid signature') },
    ])
  })

  it('can be said by whoever verifies', async () => {
    await landTask(team)
    const evidenceKeys = team.key.publicPem
    const allowedSigners = `${people.alice} ${await publicKey('alice')}\n`
    expect((await verified(undefined, { evidenceKeys, allowedSigners })).ok).toBe(true)
    const eve = `${people.alice} ${await publicKey('eve')}\n`
    expect((await verified(undefined, { evidenceKeys, allowedSigners: eve })).ok).toBe(false)
    const other = await loadInstanceKey(join(team.place.path, 'other'))
    expect((await verified(undefined, { evidenceKeys: other.publicPem, allowedSigners })).ok).toBe(false)
  })

  it('cannot be found out from broken files of trust', async () => {
    await pushByHand(team, { [paths.evidenceKeys]: 'no key\n' })
    const landing = landTask(team)
    await expect(landing).rejects.toMatchObject({
      code: 'bad-settings',
      message: expect.stringContaining('holds no public key'),
    })
  })
})

describe('a range', () => {
  it('is what the newer end has and the older has not', async () => {
    const first = await landTask(team)
    const second = await landTask(team, { id: 'mend-order-8m3' })
    await pushByHand(team, { 'a.txt': 'by hand\n' })
    expect(await statuses('main~2..main~1')).toEqual(['attested'])
    expect((await verified(`${first.commit}..${second.commit}`)).commits.map(({ sha }) => sha)).toEqual([second.commit])
    expect(await statuses('main~1..')).toEqual(['bypass'])
    expect(await statuses('main~1')).toEqual(['attested', 'attested'])
    expect(await statuses('main..main')).toEqual([])
  })

  it('that reaches back before adoption holds commits that nothing vouches for', async () => {
    expect((await verified(`${team.adopted}~1..main`)).commits).toMatchObject([
      { sha: team.adopted, status: 'bypass', why: expect.stringContaining(paths.allowedSigners) },
    ])
  })

  it.each(['main...main~1', 'a..b..c', 'nothing', '--all', '-1', 'main..main~1', 'main..nothing'])(
    '%s is refused',
    async (range) => {
      await expect(verified(range)).rejects.toMatchObject({ code: 'bad-input' })
    },
  )

  it('of a repository that never adopted Gaffer is refused', async () => {
    await team.hub.git('update-ref', 'refs/heads/main', `${team.adopted}~1`)
    await expect(verified()).rejects.toMatchObject({
      code: 'bad-settings',
      hint: expect.stringContaining('gaffer init'),
    })
  })

  it('in a clone too shallow to reach adoption is refused, unless it is named', async () => {
    await landTask(team)
    await landTask(team, { id: 'mend-order-8m3' })
    const clone = join(team.place.path, 'shallow')
    await git(team.place.path, ['clone', '--quiet', '--depth', '2', `file://${team.hub.folder}`, clone])
    await git(clone, ['fetch', '--quiet', 'origin', `${refs.evidence}:${refs.evidence}`])
    const history = await team.repositories.inspect(clone)
    await expect(verify(history)).rejects.toMatchObject({
      code: 'bad-input',
      hint: expect.stringContaining('--unshallow'),
    })
    expect((await verify(history, 'HEAD~1..HEAD')).ok).toBe(true)
  })

  it('is by default that of the protected branch, wherever HEAD is, and nobody can point it elsewhere', async () => {
    await landTask(team)
    await team.hub.git('branch', 'work', 'main')
    await pushByHand(team, { 'a.txt': 'by hand\n' })
    await team.hub.git('symbolic-ref', 'HEAD', 'refs/heads/work')
    expect(await statuses()).toEqual(['attested', 'bypass'])
    await team.hub.git('symbolic-ref', 'HEAD', 'refs/heads/main')
    await pushByHand(team, { [paths.settings]: `${gaffer}branch: work\n` })
    await expect(verified()).rejects.toMatchObject({
      code: 'bad-settings',
      message: expect.stringContaining('work says that main is'),
    })
  })
})

const publicKey = async (name: 'alice' | 'eve'): Promise<string> =>
  (await readFile(`${team.keyFile(name)}.pub`, 'utf8')).trim()
