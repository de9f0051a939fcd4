import { join } from 'node:path'
import { stringify } from 'yaml'
import { expect, test } from 'vitest'
import { makeRepository, temporaryFolder, type Files } from '../../test/repositories.ts'
import type { CheckResult } from '../cli/wiring.ts'
import { loadInstanceKey } from '../own/instance-key.ts'
import { doctorChecks, recentGit } from './doctor.ts'

const settings = (agents: Readonly<Record<string, unknown>>): Files => ({
  '.gaffer/gaffer.yaml': stringify({ version: 1, gates: { check: { gate: 'command', run: 'true' } }, agents }),
})
async function check(name: string, { files, own = true }: { files: Files; own?: boolean }): Promise<CheckResult> {
  await using place = await temporaryFolder('gaffer-doctor-')
  const data = join(place.path, 'data')
  const { publicPem } = await loadInstanceKey(own ? data : join(place.path, 'other'))
  const folder = join(place.path, 'repository')
  await makeRepository({ folder, files: { '.gaffer/evidence_keys.pem': publicPem, ...files } })
  const found = doctorChecks({ data, folder }).find((each) => each.name === name)
  if (found === undefined) throw new Error(`there is no check ${name}`)
  return await found.run() // the folders are gone afterwards
}

test.each([
  ['git 2.38.0', 'ok'],
  ['git 2.47.1 (Apple Git-154)', 'ok'],
  ['git 3.0.0', 'ok'],
  ['git 2.37.7', 'fail'],
  ['git 1.99.0', 'fail'],
  ['git of somebody', 'fail'],
])('%s: %s', (says, state) => {
  const result = recentGit({ state: 'ok', says, todo: null })
  expect(result.state).toBe(state)
  expect(result.todo).toBe(state === 'fail' ? 'install git 2.38 or later' : null)
})

test('a git that is not there stays a failure', () => {
  const missing = { state: 'fail', says: 'git is not there', todo: 'install it' } as const
  expect(recentGit(missing)).toBe(missing)
})

test('agents whose programs are there are well, with Gaffer itself as one', async () => {
  const agents = { own: { command: ['gaffer', 'replay', 'x.yaml'] }, real: { command: ['git', 'acp'] } }
  expect(await check('agents', { files: settings(agents) })).toEqual({
    state: 'ok',
    says: 'own (gaffer), real (git)',
    todo: null,
  })
})

test('an agent whose program is not there fails, with its name', async () => {
  const result = await check('agents', { files: settings({ ghost: { command: ['gaffer-no-such-agent', 'acp'] } }) })
  expect(result).toMatchObject({ state: 'fail', says: expect.stringContaining('agent ghost') })
  expect(result.todo).toContain('install gaffer-no-such-agent')
})

test('a repository that declares no agent, or is not looked after, is not called well', async () => {
  expect(await check('agents', { files: settings({}) })).toMatchObject({ state: 'warn' })
  expect(await check('agents', { files: {} })).toMatchObject({ state: 'warn', says: expect.stringContaining('not') })
  expect(await check('evidence key', { files: {} })).toMatchObject({ state: 'warn' })
})

test("this data folder's evidence key is looked for in the repository", async () => {
  const files = settings({})
  expect(await check('evidence key', { files })).toMatchObject({ state: 'ok' })
  expect(await check('evidence key', { files, own: false })).toMatchObject({
    state: 'fail',
    todo: expect.stringContaining('.gaffer/evidence_keys.pem'),
  })
  expect(await check('evidence key', { files: { ...files, '.gaffer/evidence_keys.pem': 'no key\n' } })).toMatchObject({
    state: 'fail',
    says: expect.stringContaining('holds no public key'),
  })
})
