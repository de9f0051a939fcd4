import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { buildProgram } from './program.ts'
import { renderReference } from './reference.ts'

it('docs/cli.md says what the commands say: run script/docs', async () => {
  const written = await readFile(join(resolve(import.meta.dirname, '..', '..'), 'docs', 'cli.md'), 'utf8')
  expect(written).toBe(renderReference(buildProgram(() => Promise.resolve(), '')))
})
