import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Fault } from '../../src/domain/fault.ts'
import { answers, briefText, builds, plans, startSite, thePerson, type TestSite } from '../deliveries.ts'
import { loadInstanceKey } from '../../src/own/instance-key.ts'
import { git, makeRepository, temporaryFolder, writeFiles } from '../repositories.ts'

/** A repository in an odd state: a clear word about what to do, and nothing in it is lost. */
let site: TestSite
beforeAll(async () => {
  site = await startSite()
})
afterAll(() => site[Symbol.asyncDispose]())

const oneUnit = [plans('one'), builds('one'), answers]

test('a folder that is no git repository', async () => {
  await using place = await temporaryFolder()
  const delivery = await site.delivery({ turns: oneUnit })
  await expect(delivery.attempt({ hub: place.path })).rejects.toMatchObject({
    code: 'not-a-repository',
    hint: expect.stringMatching(/\w/),
  } satisfies Partial<Fault>)
})

test('a repository with no commit yet', async () => {
  await using place = await temporaryFolder()
  const empty = await makeRepository({ folder: join(place.path, 'empty') })
  const delivery = await site.delivery({ turns: oneUnit })
  expect(await delivery.attempt({ hub: empty.folder })).toMatchObject({
    kind: 'refused',
    todo: expect.stringContaining('first commit'),
  })
})

test('a repository that Gaffer does not look after', async () => {
  await using place = await temporaryFolder()
  const foreign = await makeRepository({ folder: join(place.path, 'foreign'), files: { 'a.txt': 'a\n' } })
  const delivery = await site.delivery({ turns: oneUnit })
  await expect(delivery.attempt({ hub: foreign.folder })).rejects.toMatchObject({
    code: 'bad-settings',
    hint: expect.stringContaining('gaffer init'),
  })
})

test('settings that cannot be read name the place', async () => {
  const delivery = await site.delivery({
    turns: oneUnit,
    files: { '.gaffer/gaffer.yaml': 'version: 1\ngates: {}\ncolour: red\n' },
  })
  await expect(delivery.attempt()).rejects.toMatchObject({
    code: 'bad-settings',
    message: expect.stringContaining('colour'),
  })
})

test('a protected branch that does not exist', async () => {
  const delivery = await site.delivery({ turns: oneUnit, settings: { branch: 'trunk' } })
  expect(await delivery.attempt()).toMatchObject({ kind: 'refused', why: expect.stringContaining('trunk') })
})

test('a detached head with local edits: the change lands on main, and the work in hand stays', async () => {
  const delivery = await site.delivery({ turns: oneUnit })
  const { repository } = delivery
  await repository.git('checkout', '--quiet', '--detach')
  await writeFiles(repository.folder, { 'src/first.txt': 'in the middle of something\n', 'notes.txt': 'mine\n' })
  const id = await delivery.delegate()
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
  expect(await repository.text('main', 'src/one.txt')).toBe('one\n')
  expect(await repository.git('status', '--porcelain')).toBe(' M src/first.txt\n?? notes.txt')
})

test('a checked-out main with local edits is not touched; the landing says how, and lands when there is room', async () => {
  const delivery = await site.delivery({ turns: oneUnit })
  const { repository } = delivery
  const id = await delivery.delegate()
  await delivery.until(id, (task) => task.state === 'reviewing' && task.candidate !== null)
  await writeFiles(repository.folder, { 'src/first.txt': 'in the middle of something\n' })
  await delivery.reviewAndSign(id)
  const blocked = await delivery.untilState(id, 'blocked')
  expect(blocked.unblocks).toMatch(/stash|commit/)
  expect(blocked.unblocks).toContain(`gaffer land ${id}`)
  expect(await repository.git('status', '--porcelain')).toBe(' M src/first.txt')

  await repository.git('stash', '--quiet')
  await site.gaffer.land(id, thePerson)
  await delivery.untilState(id, 'landed')
  expect(await repository.git('status', '--porcelain')).toBe('')
  await repository.git('stash', 'pop', '--quiet')
  expect(await repository.git('status', '--porcelain')).toBe(' M src/first.txt')
})

test('untracked files of people stay where they are', async () => {
  const delivery = await site.delivery({ turns: oneUnit })
  await writeFiles(delivery.repository.folder, { 'notes.txt': 'mine\n' })
  const id = await delivery.delegate()
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
  expect(await delivery.repository.git('status', '--porcelain')).toBe('?? notes.txt')
})

test('a hub that was moved away is said, and the task goes on when it is back', async () => {
  const delivery = await site.delivery({ bare: true, turns: oneUnit })
  const id = await delivery.delegate()
  await delivery.until(id, (task) => task.state === 'reviewing' && task.candidate !== null)
  const { folder } = delivery.repository
  await rm(`${folder}.away`, { recursive: true, force: true })
  await git('/', ['-c', 'safe.directory=*', 'clone', '--quiet', '--mirror', folder, `${folder}.away`])
  await rm(folder, { recursive: true })
  await mkdir(folder)
  const signing = delivery.reviewAndSign(id)
  await signing
  const blocked = await delivery.untilState(id, 'blocked')
  expect(blocked.reason.kind).toMatch(/fault|hub-refused/)
  await rm(folder, { recursive: true })
  await git('/', ['clone', '--quiet', '--mirror', `${folder}.away`, folder])
  await site.gaffer.land(id, thePerson)
  await delivery.untilState(id, 'landed')
})

test('a hook of the hub that says no is heard', async () => {
  const delivery = await site.delivery({ bare: true, turns: oneUnit })
  const id = await delivery.delegate()
  await delivery.until(id, (task) => task.state === 'reviewing' && task.candidate !== null)
  const hook = join(delivery.repository.folder, 'hooks', 'pre-receive')
  await writeFile(hook, '#!/bin/sh\necho "frozen until Monday" >&2\nexit 1\n', { mode: 0o755 })
  await delivery.reviewAndSign(id)
  const blocked = await delivery.untilState(id, 'blocked')
  expect(blocked.reason).toMatchObject({ kind: 'hub-refused', message: expect.stringContaining('frozen until Monday') })
  await rm(hook)
  await site.gaffer.land(id, thePerson)
  await delivery.untilState(id, 'landed')
})

test('a brief that nobody can read, and one without end', async () => {
  const delivery = await site.delivery({ turns: oneUnit })
  expect(await delivery.attempt({ text: '\u0000\u0001' })).toMatchObject({
    kind: 'brief-refused',
    problems: [{ rule: 'not-text' }],
  })
  expect(await delivery.attempt({ text: 'x'.repeat(2_000_000) })).toMatchObject({
    kind: 'brief-refused',
    problems: [{ rule: 'too-large' }],
  })
})

test('an owner who could not sign is refused before any work', async () => {
  const delivery = await site.delivery({ turns: oneUnit })
  expect(await delivery.attempt({ text: briefText({ owner: 'stranger@example.com' }) })).toMatchObject({
    kind: 'brief-refused',
    problems: expect.arrayContaining([expect.objectContaining({ rule: 'owner-cannot-sign' })]),
  })
})

test('a repository whose protected branch is neither main nor master', async () => {
  const delivery = await site.delivery({ turns: oneUnit, settings: { branch: 'trunk' } })
  await delivery.repository.git('branch', '--quiet', '-m', 'main', 'trunk')
  const id = await delivery.delegate()
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
  expect(await delivery.repository.text('trunk', 'src/one.txt')).toBe('one\n')
  expect(await delivery.verify()).toMatchObject({ ok: true, commits: [{ task: id }] })
})

test('an instance whose evidence key the repository does not hold begins nothing', async () => {
  const delivery = await site.delivery({ turns: oneUnit })
  await using other = await temporaryFolder()
  const { publicPem } = await loadInstanceKey(other.path)
  await delivery.repository.commit({ '.gaffer/evidence_keys.pem': publicPem })
  await expect(delivery.attempt()).rejects.toMatchObject({
    code: 'bad-settings',
    hint: expect.stringContaining('gaffer init'),
  })
})

test('`land` answers a landing that was turned away, and no other block', async () => {
  const delivery = await site.delivery({ turns: [plans('one'), { when: 'stage=build', do: [{ crash: 1 }] }] })
  const id = await delivery.delegate()
  await delivery.untilState(id, 'blocked')
  expect(await site.gaffer.land(id, thePerson)).toMatchObject({ kind: 'refused', what: 'land' })
})
