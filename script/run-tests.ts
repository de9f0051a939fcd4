import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { showSkipped } from './show-skipped.ts'

/**
 * Runs the checks and the tests, names everything that was skipped with its reason, and ends with one true line:
 * `N passed, N failed, N skipped`. Exits 0 only when something passed and nothing failed.
 */
const reportSchema = z.looseObject({
  testResults: z.array(
    z.looseObject({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(z.looseObject({ fullName: z.string(), status: z.string() })),
    }),
  ),
})

const node = process.execPath
const bin = (name: string): string => join('node_modules', '.bin', name)
const checks: readonly { readonly name: string; readonly argv: readonly string[] }[] = [
  { name: 'types', argv: [node, 'node_modules/typescript7/bin/tsc', '--noEmit', '-p', '.'] },
  { name: 'lint', argv: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'format', argv: [bin('oxfmt'), '--check', 'src', 'test', 'script', 'bench'] },
  {
    name: 'imports',
    argv: [bin('depcruise'), 'src', 'test', '--config', '.dependency-cruiser.cjs', '--output-type', 'err'],
  },
]

const given = process.argv.slice(2)
const all = given.includes('--all')
const filters = given.filter((argument) => argument !== '--all')

let [passed, failed, skipped] = [0, 0, 0]
const reasons: string[] = []

if (filters.length === 0) {
  for (const { name, argv } of checks) {
    const [program, ...rest] = argv as [string, ...string[]]
    const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' })
    console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}`)
    if (status === 0) passed += 1
    else {
      failed += 1
      console.log(`${stdout}${stderr}`.slice(-8_000))
    }
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'gaffer-tests-'))
for (const project of all ? ['fast', 'heavy'] : ['fast']) {
  const output = join(scratch, `${project}.json`)
  const skippedFile = join(scratch, `${project}.skipped`)
  const vitest = [
    bin('vitest'),
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    '--reporter=./script/skipped-reporter.ts',
    `--outputFile.json=${output}`,
    ...filters,
  ]
  const { status } = spawnSync(node, vitest, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, NO_COLOR: '1', GAFFER_SKIPPED: skippedFile },
  })
  if (existsSync(skippedFile)) reasons.push(...showSkipped(readFileSync(skippedFile, 'utf8')))
  count(output, status === 0, project)
}
rmSync(scratch, { recursive: true, force: true })

for (const reason of reasons) console.log(`skipped: ${reason}`)
if (reasons.length < skipped) console.log(`skipped: ${skipped - reasons.length} more, of which nothing is known`)
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)

function count(output: string, good: boolean, project: string): void {
  const before = failed
  try {
    for (const file of reportSchema.parse(JSON.parse(readFileSync(output, 'utf8'))).testResults) {
      for (const test of file.assertionResults) {
        if (test.status === 'passed') passed += 1
        else if (test.status === 'failed') failed += 1
        else skipped += 1
      }
      if (file.status === 'failed' && file.assertionResults.length === 0) failed += 1
    }
  } catch (error) {
    console.log(`no report of the ${project} tests: ${String(error)}`)
    failed += 1
  }
  if (!good && failed === before) failed += 1
}
