import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signWithKey } from '../../src/own/sign-off.ts'
import { answers, builds, plans, startSite, thePerson, type Delivery, type TestSite } from '../deliveries.ts'
import { unitId, type TaskId } from '../../src/domain/ids.ts'
import type { Candidate } from '../../src/domain/task/task.ts'

/** Whatever happens between the last checkpoint and main: nothing lands that was not signed, judged and provable. */
let site: TestSite
beforeAll(async () => {
  site = await startSite()
})
afterAll(() => site[Symbol.asyncDispose]())

const oneUnit = [plans('one'), builds('one'), answers]

async function readyToSign(options = {}): Promise<{ delivery: Delivery; id: TaskId; candidate: Candidate }> {
  const delivery = await site.delivery({ turns: oneUnit, ...options })
  const id = await delivery.delegate()
  const task = await delivery.until(id, (now) => now.state === 'reviewing' && now.candidate !== null)
  if (task.state !== 'reviewing' || task.candidate === null) throw new Error('not ready')
  await site.gaffer.acceptUnit(id, null, thePerson)
  return { delivery, id, candidate: task.candidate }
}

test('a signature over another statement is refused', async () => {
  const { delivery, id, candidate } = await readyToSign()
  const armoured = await delivery.armour(id, candidate.statement.replace(candidate.tree, 'f'.repeat(40)))
  expect(await site.gaffer.sign(id, { candidate: candidate.commit, armoured }, thePerson)).toMatchObject({
    kind: 'refused',
    what: 'sign',
  })
  expect((await site.gaffer.task(id))?.task.state).toBe('reviewing')
})

test('a signature with a key that is not the owner’s is refused', async () => {
  const { delivery, id, candidate } = await readyToSign()
  const keyFile = join(delivery.folder, 'other-key')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keyFile])
  const armoured = await signWithKey({ keyFile, statement: candidate.statement, interactive: false, env: process.env })
  expect(await site.gaffer.sign(id, { candidate: candidate.commit, armoured }, thePerson)).toMatchObject({
    kind: 'refused',
    todo: expect.stringContaining('allowed_signers'),
  })
})

test('main moved between signature and landing: the merged tree is judged again, and both changes are on main', async () => {
  const { delivery, id, candidate } = await readyToSign()
  const { repository } = delivery
  const moved = await repository.commit({ 'src/other.txt': 'other\n' }, 'feat: something else')
  const armoured = await delivery.armour(id)
  await site.gaffer.sign(id, { candidate: candidate.commit, armoured }, thePerson)
  const landed = await delivery.untilState(id, 'landed')
  expect(landed.attempt.base).toBe(moved)
  expect(await repository.text('main', 'src/other.txt')).toBe('other\n')
  expect(await repository.text('main', 'src/one.txt')).toBe('one\n')
  expect(await delivery.verify(`${moved}..main`)).toMatchObject({
    ok: true,
    commits: [{ status: 'attested', task: id }],
  })
})

test('main moved so that the merged tree fails its gates: nothing lands, and people are asked', async () => {
  const { delivery, id, candidate } = await readyToSign()
  const moved = await delivery.repository.commit({ 'src/other.txt': 'bad\n' }, 'feat: something bad')
  await site.gaffer.sign(id, { candidate: candidate.commit, armoured: await delivery.armour(id) }, thePerson)
  const blocked = await delivery.untilState(id, 'blocked')
  expect(blocked.reason.kind).toBe('final-gates-failed')
  expect(await delivery.repository.head('main')).toBe(moved)
})

test('main moved into a conflict: nothing lands, and the files are named', async () => {
  const { delivery, id, candidate } = await readyToSign()
  const moved = await delivery.repository.commit({ 'src/one.txt': 'theirs\n' }, 'feat: the same file')
  await site.gaffer.sign(id, { candidate: candidate.commit, armoured: await delivery.armour(id) }, thePerson)
  const blocked = await delivery.untilState(id, 'blocked')
  expect(blocked.reason).toEqual({ kind: 'conflict', paths: ['src/one.txt'] })
  expect(await delivery.repository.head('main')).toBe(moved)
})

test('a repository that wants a new signature then gets its owner asked again', async () => {
  const { delivery, id, candidate } = await readyToSign({ settings: { review: { resign: true } } })
  await delivery.repository.commit({ 'src/other.txt': 'other\n' }, 'feat: something else')
  await site.gaffer.sign(id, { candidate: candidate.commit, armoured: await delivery.armour(id) }, thePerson)
  const again = await delivery.until(
    id,
    (task) => task.state === 'reviewing' && task.candidate !== null && task.candidate.commit !== candidate.commit,
  )
  expect(again.state).toBe('reviewing')
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
})

test('two tasks of one repository land one after the other, each with its changelog entry', async () => {
  const delivery = await site.delivery({ turns: [plans('one'), builds('one'), answers] })
  const first = await delivery.delegate()
  await delivery.until(first, (task) => task.state === 'reviewing' && task.candidate !== null)
  const second = await delivery.delegate()
  await delivery.until(second, (task) => task.state === 'reviewing' && task.candidate !== null)
  await delivery.reviewAndSign(first)
  await delivery.untilState(first, 'landed')
  // Both write the same line of the same new file, so the second merges to nothing but its changelog entry.
  await delivery.reviewAndSign(second)
  await delivery.untilState(second, 'landed')
  expect(await delivery.verify()).toMatchObject({ ok: true, commits: [{ task: first }, { task: second }] })
  const changelog = (await delivery.repository.text('main', 'CHANGELOG.md')) ?? ''
  expect(changelog).toContain(first)
  expect(changelog).toContain(second)
})

test('a commit that came in beside the chain is found', async () => {
  const { delivery, id, candidate } = await readyToSign()
  await site.gaffer.sign(id, { candidate: candidate.commit, armoured: await delivery.armour(id) }, thePerson)
  await delivery.untilState(id, 'landed')
  const bypass = await delivery.repository.commit({ 'src/quick.txt': 'quick\n' }, 'fix: quickly')
  expect(await delivery.verify()).toMatchObject({
    ok: false,
    commits: [{ status: 'attested' }, { sha: bypass, status: 'bypass' }],
  })
})

test('changes requested while the final gates run are built, and nothing is called a fault', async () => {
  const slow = {
    gates: {
      check: { gate: 'command', run: 'sh check.sh', at: 'unit' },
      slow: { gate: 'command', run: 'sleep 2', at: 'final' },
    },
  }
  const turns = [plans('one'), builds('one'), builds('one-r2', 'better\n'), answers]
  const delivery = await site.delivery({ turns, settings: slow })
  const id = await delivery.delegate()
  await delivery.untilState(id, 'reviewing')
  expect(await site.gaffer.requestChanges(id, unitId('one'), 'Say better.', thePerson)).toMatchObject({ kind: 'done' })
  const again = await delivery.until(
    id,
    (task) => task.state === 'blocked' || (task.state === 'reviewing' && task.units.length === 2),
  )
  expect(again.state).toBe('reviewing')
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
})

test('a landing that was turned away can be abandoned, and what has landed cannot', async () => {
  const { delivery, id, candidate } = await readyToSign()
  await writeFile(join(delivery.repository.folder, 'src', 'first.txt'), 'in the middle of something\n')
  await site.gaffer.sign(id, { candidate: candidate.commit, armoured: await delivery.armour(id) }, thePerson)
  const blocked = await delivery.untilState(id, 'blocked')
  expect(blocked).toMatchObject({ was: { state: 'signed' }, reason: { kind: 'hub-refused' } })
  expect(await site.gaffer.abandon(id, 'not any more', thePerson)).toMatchObject({ kind: 'done' })
})
