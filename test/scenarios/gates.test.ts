import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bwrapSandbox } from '../../src/adapters/bwrap/bwrap-sandbox.ts'
import { chooseSandbox } from '../../src/adapters/bwrap/choose-sandbox.ts'
import { cleanRooms } from '../../src/adapters/clean-room/clean-rooms.ts'
import { dependencyCache } from '../../src/adapters/clean-room/dependencies.ts'
import { createRepositories } from '../../src/adapters/git/repositories.ts'
import { unconfinedSandbox } from '../../src/adapters/unconfined/unconfined-sandbox.ts'
import type { Brief } from '../../src/domain/brief.ts'
import { settingsSchema } from '../../src/domain/settings.ts'
import type { GateResult } from '../../src/domain/verdict.ts'
import { gates } from '../../src/gates/registry.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { runGates } from '../../src/review/run-gates.ts'
import { memoryVerdicts, said, someBrief } from '../gate-bench.ts'
import { makeRepository, temporaryFolder, type Files } from '../repositories.ts'

const settings = settingsSchema.parse({
  version: 1,
  contracts: ['test/contract/**'],
  gates: {
    tests: { run: 'node --test --test-reporter=junit --test-reporter-destination="$GAFFER_REPORTS/junit.xml"' },
    lint: { run: '! grep -rn "debugger" src' },
    built: { gate: 'command', run: 'node src/sum.mjs', at: 'final' },
  },
})
const testOf = (expected: number) =>
  `import { test } from 'node:test'\nimport assert from 'node:assert'\nimport { sum } from '../src/sum.mjs'\ntest('sums', () => {\n  assert.equal(sum(1, 2), ${expected})\n})\n`
const base: Files = {
  'src/sum.mjs': 'export const sum = (a, b) => a + b\n',
  'test/sum.test.mjs': testOf(3),
  'test/contract/api.test.mjs': testOf(3).replace('../src', '../../src'),
}

/** Gates on real git, real checkouts and real commands, in the best sandbox this machine has. */
async function site() {
  const place = await temporaryFolder()
  const team = await makeRepository({ folder: join(place.path, 'team'), files: base })
  const repository = await createRepositories({ folder: join(place.path, 'stores') }).open(team.folder)
  const { sandbox } = await chooseSandbox(bwrapSandbox(), unconfinedSandbox())
  const dependencies = dependencyCache({ folder: join(place.path, 'cache'), sandbox })
  const rooms = cleanRooms({ folder: join(place.path, 'rooms'), sandbox, dependencies })
  const cache = memoryVerdicts()
  const start = await team.head()
  if (start === undefined) throw new Error('there is no commit')
  return {
    async judge(change: Files, brief: Partial<Brief> = {}, level: 'unit' | 'final' = 'unit') {
      await team.git('reset', '--quiet', '--hard', start)
      const commit = await team.commit(change)
      await repository.fetch()
      const tree = await repository.treeOf(commit)
      const run = { repository, settings, level, base: start, tree, brief: someBrief(brief), problems: [] }
      return runGates({ ...run, gates, rooms, cache, clock: systemClock })
    },
    async [Symbol.asyncDispose]() {
      await repository.close()
      await place.remove()
    },
  }
}
const say = (results: readonly GateResult[]) =>
  Object.fromEntries(results.map(({ gate, verdict }) => [gate, said(verdict)]))

describe('the gates of a change on real git', () => {
  test('pass an honest one, and remember it', async () => {
    await using here = await site()
    const change = { 'src/product.mjs': 'export const product = (a, b) => a * b\n', 'src/link': { link: 'sum.mjs' } }
    const results = await here.judge(change, { scope: ['src/**'] })
    expect(say(results)).toEqual({
      contracts: ['passed'],
      lint: ['passed'],
      scope: ['passed'],
      secrets: ['passed'],
      tests: ['passed'],
    })
    expect((await here.judge(change, { scope: ['src/**'] })).map(({ cached }) => cached)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ])
  })

  test('find everything that is wrong with a dishonest one', async () => {
    await using here = await site()
    const results = await here.judge(
      {
        'src/sum.mjs': 'debugger\nexport const sum = (a, b) => 4\n',
        'test/sum.test.mjs': testOf(4).replace('test(', 'test.skip('),
        'test/contract/api.test.mjs': testOf(4).replace('../src', '../../src'),
        'src/config.mjs': `export const password = '${['Tr0ub4dor', '&3!x'].join('')}'\n`,
        '.gaffer/gaffer.yaml': 'version: 1\n',
        'src/out': { link: '../../../etc/passwd' },
      },
      { scope: ['src/**', 'test/**'] },
    )
    expect(say(results)).toEqual({
      contracts: ['contract-changed test/contract/api.test.mjs', 'test-skipped test/sum.test.mjs:4'],
      lint: ['reported src/sum.mjs:1'],
      scope: ['symlink-leaves src/out', 'governed-path .gaffer/gaffer.yaml'],
      secrets: ['generic-secret src/config.mjs:1'],
      tests: ['fewer-tests'], // which is why the other gates are there
    })
  })

  test('run the tests of the tree, and what is asked for at the end', async () => {
    await using here = await site()
    const broken = await here.judge({ 'src/sum.mjs': 'export const sum = (a, b) => a - b\n' })
    expect(say(broken)['tests']).toEqual([
      'test-failed test/contract/api.test.mjs:5',
      'test-failed test/sum.test.mjs:5',
    ])
    const acceptance: Brief['acceptance'] = [
      { id: 'A1', text: 'sums', line: 1, test: 'test/sum.test.mjs > multiplies' },
    ]
    const final = await here.judge({ 'src/a.mjs': '' }, { acceptance }, 'final')
    expect(say(final)).toMatchObject({ built: ['passed'], tests: ['acceptance-not-shown'] })
  })
})
