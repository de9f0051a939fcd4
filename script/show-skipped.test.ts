import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { showSkipped } from './show-skipped.ts'

const root = resolve(import.meta.dirname, '..')

test('what vitest skips is named with its reason, and with none where none is given', () => {
  // Inside of the repository, for `vitest` to be found from there.
  mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true })
  const folder = mkdtempSync(join(root, 'node_modules', '.cache', 'skipped-'))
  try {
    writeFileSync(
      join(folder, 'some.test.ts'),
      `import { describe, test } from 'vitest'
test('runs', () => {})
test('needs a mount', (context) => context.skip('nothing can be mounted here'))
test.skip('is forgotten', () => {})
describe.skip('on a small disk (needs the right to mount)', () => { test('fills it', () => {}) })
`,
    )
    writeFileSync(
      join(folder, 'vitest.config.ts'),
      "export default { test: { include: ['*.test.ts'], exclude: [] } }\n",
    )
    const kept = join(folder, 'skipped.jsonl')
    const argv = ['run', '--root', folder, `--reporter=${join(root, 'script', 'skipped-reporter.ts')}`]
    const vitest = spawnSync(process.execPath, [join(root, 'node_modules', '.bin', 'vitest'), ...argv], {
      cwd: folder,
      env: { PATH: process.env['PATH'], GAFFER_SKIPPED: kept },
      encoding: 'utf8',
    })
    expect(vitest.stderr).toBe('')
    expect(vitest.status).toBe(0)
    expect(showSkipped(readFileSync(kept, 'utf8'))).toEqual([
      'needs a mount — nothing can be mounted here',
      'is forgotten — no reason is given in some.test.ts',
      'on a small disk (needs the right to mount) > fills it — as its name says',
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
