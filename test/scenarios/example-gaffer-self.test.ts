import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { expect, test } from 'vitest'
import { settingsSchema } from '../../src/domain/settings.ts'
import { unshown } from '../../src/gates/tests/acceptance.ts'
import { parseJUnit } from '../../src/reports/junit.ts'
import { examples, playTurn, readExample } from '../replayed.ts'
import { temporaryFolder } from '../repositories.ts'

const here = resolve(examples, '..')
const example = await readExample('gaffer-self')

test('the change to Gaffer itself is planned, built and answered for, unit by unit', async () => {
  const { plan, brief, rounds } = example
  expect(rounds.map(({ unit, round }) => [unit, round])).toEqual(plan.units.map(({ id }) => [id, 1]))
  expect(new Set(plan.units.flatMap(({ acceptance }) => acceptance))).toEqual(
    new Set(brief.acceptance.map(({ id }) => id)),
  )
  for (const { id } of plan.units) expect((await example.answers(id)).why).not.toBe('')
  const settings = settingsSchema.parse(parse(await readFile(join(examples, 'gaffer-self.gaffer.yaml'), 'utf8')))
  expect(Object.keys(settings.gates)).toEqual(['tests', 'types'])
})

test('after each of its units the tests pass, and in the end they show every acceptance line', async () => {
  await using place = await temporaryFolder()
  for (const file of ['package.json', 'tsconfig.json']) await cp(join(here, file), join(place.path, file))
  await mkdir(join(place.path, 'src', 'domain'), { recursive: true })
  await symlink(join(here, 'node_modules'), join(place.path, 'node_modules'))

  const report = join(place.path, 'junit.xml')
  for (const { turn } of example.rounds) {
    await playTurn(turn, place.path)
    await run(place.path, [
      'vitest/vitest.mjs',
      'run',
      'src/domain',
      '--reporter=junit',
      `--outputFile.junit=${report}`,
    ])
    await run(place.path, ['typescript7/bin/tsc', '--noEmit', '-p', '.'])
  }
  const cases = parseJUnit(await readFile(report, 'utf8'))?.cases ?? []
  expect(unshown(example.brief.acceptance, cases, place.path)).toEqual([])
}, 180_000)

/** A program of node_modules, which has to end with 0. */
const run = (cwd: string, [program = '', ...words]: readonly string[]) =>
  promisify(execFile)(process.execPath, [join('node_modules', program), ...words], { cwd })
