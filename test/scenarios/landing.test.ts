import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { paths, refs } from '../../src/domain/settings.ts'
import { passed, unavailable, type GateResult } from '../../src/domain/verdict.ts'
import { composeCandidate, composeTree } from '../../src/own/candidate.ts'
import { composeLanding, prepareLanding } from '../../src/own/landing.ts'
import { pushLanding } from '../../src/own/push-landing.ts'
import { verify } from '../../src/own/verify.ts'
import type { Repository } from '../../src/ports/repository.ts'
import {
  allPassed,
  at,
  buildTask,
  landSigned,
  landTask,
  mainOf,
  makeTeam,
  prepareSigned,
  pushByHand,
  resetTeam,
  signTask,
  type Team,
} from '../landed-chain.ts'
import { makeRepository } from '../repositories.ts'

let team: Team
beforeAll(async () => {
  team = await makeTeam()
})
beforeEach(() => resetTeam(team))
afterAll(() => team[Symbol.asyncDispose]())

const verified = async () => verify(await team.repositories.inspect(team.hub.folder))
const lines = (text: string): string[] => (text === '' ? [] : text.split('\n'))

describe('a candidate', () => {
  const compose = async (results?: readonly GateResult[]) => {
    const { repository, key } = team
    const task = await buildTask(team)
    const whole = await composeTree(repository, task)
    if (whole.kind === 'conflict') throw new Error('conflict')
    const said = results ?? (await allPassed(repository, whole.base))
    const input = { task, ...whole, results: said, at, key }
    return { input, composed: await composeCandidate(repository, input) }
  }

  it('is one commit on main: the change with its changelog entry, without the plan', async () => {
    const { composed } = await compose()
    if (composed.kind === 'refused') throw new Error(composed.why)
    const { repository, adopted } = team
    const { commit, tree, base } = composed.candidate
    expect(base).toBe(adopted)
    expect((await repository.changes(base, tree)).map(({ path }) => path)).toEqual([
      paths.changelog,
      'read-one-order-7k2.ts',
    ])
    expect(await repository.commitInfo(commit)).toMatchObject({
      tree,
      parents: [adopted],
      author: { name: 'replay (agent)', email: 'agent+replay@gaffer.invalid' },
      committer: { name: 'Gaffer', email: 'gaffer@gaffer.invalid' },
    })
  })

  it('is the same to the byte when it is composed again', async () => {
    const { input, composed } = await compose()
    expect(await composeCandidate(team.repository, input)).toEqual(composed)
  })

  it('shows its signer what each gate said', async () => {
    const { composed } = await compose()
    if (composed.kind === 'refused') throw new Error(composed.why)
    expect(composed.candidate.evidence.map(({ gate, verdict }) => [gate, verdict])).toEqual(
      ['contracts', 'lint', 'scope', 'secrets', 'tests'].map((gate) => [gate, 'passed']),
    )
  })

  it('is refused where a gate is missing, unavailable or speaks twice', async () => {
    const all = await allPassed(team.repository, team.adopted)
    const away = unavailable({ code: 'command-missing', message: 'm', hint: 'h', retryable: false })
    for (const [results, why] of [
      [all.filter(({ gate }) => gate !== 'scope'), 'no evidence of scope'],
      [all.map((result) => (result.gate === 'lint' ? { ...result, verdict: away } : result)), 'not every gate'],
      [[...all, { gate: 'lint', verdict: passed(), durationMs: 1, cached: false }], 'twice'],
      [[], 'no evidence of'],
    ] as const) {
      await resetTeam(team)
      expect((await compose(results)).composed).toMatchObject({ kind: 'refused', why: expect.stringContaining(why) })
    }
  })

  it('is merged onto a main that moved while it was built, whatever that did to plans', async () => {
    const task = await buildTask(team)
    const moved = await pushByHand(team, { [paths.plan]: '# A plan of our own\n', 'other.txt': 'x\n' })
    const whole = await composeTree(team.repository, task)
    expect(whole).toMatchObject({ kind: 'tree', base: moved })
    if (whole.kind === 'conflict') return
    expect(await team.repository.read(whole.tree, paths.plan)).toBe('# A plan of our own\n')
    expect(await team.repository.read(whole.tree, 'other.txt')).toBe('x\n')
    expect(await team.repository.read(whole.tree, 'read-one-order-7k2.ts')).toBe('export const a = 2\n')
  })

  it('that cannot be merged says where', async () => {
    const task = await buildTask(team, { files: { 'a.txt': 'ours\n' } })
    const base = await pushByHand(team, { 'a.txt': 'theirs\n' })
    expect(await composeTree(team.repository, task)).toEqual({ kind: 'conflict', base, paths: ['a.txt'] })
  })

  it('keeps a changelog that people write, line ends included', async () => {
    const text = '# Changelog\r\n\r\n## [Unreleased]\r\n\r\n### Added\r\n\r\n- Before\r\n'
    await pushByHand(team, { [paths.changelog]: text })
    const { composed } = await compose()
    if (composed.kind === 'refused') throw new Error(composed.why)
    expect(await team.repository.read(composed.candidate.tree, paths.changelog)).toBe(
      `${text}- Read one order (read-one-order-7k2)\r\n`,
    )
  })

  it('is not made where the changelog is no text file', async () => {
    const folder = join(team.place.path, `odd-${Date.now()}`)
    const odd = await makeRepository({ folder, files: { 'real.md': 'x\n', [paths.changelog]: { link: 'real.md' } } })
    const repository = await team.repositories.open(odd.folder)
    try {
      const base = await odd.head()
      if (base === undefined) throw new Error('no head')
      await repository.fetch()
      const task = { ...(await buildTask(team)), base, hub: odd.folder }
      const [unit] = task.units
      if (unit === undefined) throw new Error('no unit')
      const units = [{ ...unit, checkpoint: { ...unit.checkpoint, commit: base } }]
      await expect(composeTree(repository, { ...task, units })).rejects.toMatchObject({ code: 'bad-input' })
    } finally {
      await repository.close()
    }
  })

  it('is not made for a branch that is gone, or on a base that never adopted Gaffer', async () => {
    const task = await buildTask(team)
    await expect(composeTree(team.repository, { ...task, branch: 'gone' })).rejects.toMatchObject({ code: 'bad-input' })
    const { repository, key } = team
    const [base] = (await repository.commitInfo(team.adopted)).parents
    if (base === undefined) throw new Error('no parent')
    const tree = await repository.treeOf(base)
    await expect(composeCandidate(repository, { task, tree, base, results: [], at, key })).rejects.toMatchObject({
      code: 'bad-settings',
    })
  })
})

describe('a landing', () => {
  it('moves main to the signed commit itself while main stands still', async () => {
    const landed = await landTask(team)
    expect(landed.commit).toBe(landed.task.candidate.commit)
    expect(await mainOf(team.repository)).toBe(landed.commit)
  })

  it('is the same to the byte when it is prepared again', async () => {
    const signed = await signTask(team, await buildTask(team))
    await pushByHand(team, { 'other.txt': 'x\n' })
    expect(await prepareSigned(team, signed)).toEqual(await prepareSigned(team, signed))
  })

  it('keeps evidence in an append-only chain that keeps the checkpoints alive', async () => {
    const first = await landTask(team)
    const second = await landTask(team, { id: 'mend-order-8m3' })
    const chain = lines(await team.hub.git('rev-list', '--first-parent', refs.evidence))
    expect(chain).toHaveLength(3)
    for (const { task } of [first, second]) await team.hub.git('update-ref', '-d', refs.task(task.id))
    const reachable = lines(await team.hub.git('rev-list', refs.evidence))
    for (const { task } of [first, second])
      for (const { checkpoint } of task.units) expect(reachable).toContain(checkpoint.commit)
    const kept = lines(await team.hub.git('ls-tree', '-r', '--name-only', refs.evidence))
    for (const path of Object.keys({ ...first.prepared.files, ...second.prepared.files })) expect(kept).toContain(path)
  })

  it('that went through before a crash is recognised, at every point, and done once', async () => {
    const signed = await signTask(team, await buildTask(team))
    const ready = await prepareSigned(team, signed)
    expect(await pushLanding(team.repository, ready.prepared)).toMatchObject({ kind: 'landed' })
    const evidence = await team.hub.head(refs.evidence)

    expect(await pushLanding(team.repository, ready.prepared)).toMatchObject({ kind: 'landed' })
    const attempt = ready.plan.attempt
    const landing = { ...signed.task, state: 'landing' as const, attempt }
    expect(await composeLanding(team.repository, signed.task)).toEqual({ kind: 'landed', commit: attempt.commit })
    expect(await composeLanding(team.repository, landing)).toEqual({ kind: 'landed', commit: attempt.commit })

    await landTask(team, { id: 'mend-order-8m3' })
    expect(await pushLanding(team.repository, ready.prepared)).toMatchObject({ kind: 'landed' })
    expect(await composeLanding(team.repository, landing)).toMatchObject({ kind: 'landed' })
    expect(lines(await team.hub.git('rev-list', '--first-parent', refs.evidence))).toHaveLength(3)
    expect(evidence).toBeDefined()
  })

  it('whose commit somebody moved main to by hand still gets its evidence', async () => {
    const signed = await signTask(team, await buildTask(team))
    const { candidate } = signed.task
    await team.repository.push([{ ref: 'refs/heads/main', from: candidate.base, to: candidate.commit }])
    expect((await verified()).commits).toMatchObject([{ status: 'tampered' }])
    await landSigned(team, signed)
    expect((await verified()).ok).toBe(true)
  })

  it('on a main that moved lands the merge, after a crash too', async () => {
    const signed = await signTask(team, await buildTask(team))
    await landTask(team, { id: 'mend-order-8m3' })
    const landed = await landSigned(team, signed)
    expect(landed.commit).not.toBe(signed.task.candidate.commit)
    const { message, author } = await team.repository.commitInfo(landed.commit)
    const candidate = await team.repository.commitInfo(signed.task.candidate.commit)
    expect([message, author]).toEqual([candidate.message, candidate.author])

    await team.hub.git('update-ref', refs.evidence, `${refs.evidence}^`)
    const landing = { ...signed.task, state: 'landing' as const, attempt: landed.plan.attempt }
    const again = await composeLanding(team.repository, landing)
    expect(again).toEqual(landed.plan)
    expect(await pushLanding(team.repository, landed.prepared)).toEqual({ kind: 'landed', commit: landed.commit })
    expect((await verified()).ok).toBe(true)
  })

  it('is refused where the merged tree has no complete evidence', async () => {
    const signed = await signTask(team, await buildTask(team))
    await pushByHand(team, { 'other.txt': 'x\n' })
    const composed = await composeLanding(team.repository, signed.task)
    if (composed.kind !== 'merged') throw new Error(composed.kind)
    const input = { task: signed.task, composed, envelopes: signed.composed.envelopes, at, key: team.key }
    expect(await prepareLanding(team.repository, { ...input, results: [] })).toMatchObject({ kind: 'refused' })
    const results = await allPassed(team.repository, composed.attempt.base)
    expect(await prepareLanding(team.repository, { ...input, results, envelopes: [] })).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('not what was signed'),
    })
  })

  it('that no longer merges says where, and moves nothing', async () => {
    const signed = await signTask(team, await buildTask(team, { files: { 'a.txt': 'ours\n' } }))
    const base = await pushByHand(team, { 'a.txt': 'theirs\n' })
    expect(await composeLanding(team.repository, signed.task)).toEqual({ kind: 'conflict', base, paths: ['a.txt'] })
    expect(await mainOf(team.repository)).toBe(base)
  })

  it('that comes second says that main moved; of many at once all land, one after the other', async () => {
    const signed = []
    for (const id of ['task-one-222', 'task-two-333', 'task-three-444'])
      signed.push(await signTask(team, await buildTask(team, { id })))
    const ready = await Promise.all(signed.map((each) => prepareSigned(team, each)))
    const pushed = await Promise.all(ready.map(({ prepared }) => pushLanding(team.repository, prepared)))
    expect(pushed.filter(({ kind }) => kind === 'landed')).toHaveLength(1)
    expect(pushed.filter(({ kind }) => kind === 'moved')).toHaveLength(2)
    for (const [index, each] of signed.entries()) if (pushed[index]?.kind === 'moved') await landSigned(team, each)
    const { ok, commits } = await verified()
    expect([ok, commits.length]).toEqual([true, 3])
    expect((await team.hub.text('main', paths.changelog))?.match(/^- /gm)).toHaveLength(3)
  })

  it('says that the branch is gone', async () => {
    const signed = await signTask(team, await buildTask(team))
    const ready = await prepareSigned(team, signed)
    await team.hub.git('update-ref', '-d', 'refs/heads/main')
    expect(await composeLanding(team.repository, signed.task)).toEqual({ kind: 'branch-gone' })
    expect(await pushLanding(team.repository, ready.prepared)).toEqual({ kind: 'moved', actual: null })
  })

  it('hands on the words of a hub that refuses, and leaves both refs alone', async () => {
    const ready = await prepareSigned(team, await signTask(team, await buildTask(team)))
    const hook = join(team.hub.folder, 'hooks', 'pre-receive')
    await writeFile(hook, '#!/bin/sh\necho "no landings on Fridays"\nexit 1\n', { mode: 0o755 })
    try {
      expect(await pushLanding(team.repository, ready.prepared)).toMatchObject({
        kind: 'refused',
        message: expect.stringContaining('no landings on Fridays'),
      })
    } finally {
      await writeFile(hook, '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    }
    expect(await team.hub.head('main')).toBe(team.adopted)
    expect(await team.hub.head(refs.evidence)).toBeUndefined()
  })

  it('into a repository that is checked out with local edits says how to land', async () => {
    const folder = join(team.place.path, 'own')
    await team.hub.git('clone', '--quiet', team.hub.folder, folder)
    const repository: Repository = await team.repositories.open(folder)
    const own: Team = { ...team, repository }
    try {
      const ready = await prepareSigned(own, await signTask(own, await buildTask(own)))
      await writeFile(join(folder, 'a.txt'), 'edited\n')
      expect(await pushLanding(repository, ready.prepared)).toMatchObject({ kind: 'dirty' })
      await writeFile(join(folder, 'a.txt'), 'one\n')
      expect(await pushLanding(repository, ready.prepared)).toMatchObject({ kind: 'landed' })
      expect((await verify(await team.repositories.inspect(folder))).ok).toBe(true)
    } finally {
      await repository.close()
    }
  })
})
