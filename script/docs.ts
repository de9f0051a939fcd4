import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { buildProgram } from '../src/cli/program.ts'
import { renderReference } from '../src/cli/reference.ts'
import { renderSettings } from './settings-reference.ts'

/** Writes what is written by the code itself. A test fails when it was forgotten. */
const docs = join(resolve(import.meta.dirname, '..'), 'docs')
const written = {
  'cli.md': renderReference(buildProgram(() => Promise.resolve(), '')),
  'gaffer-yaml.md': renderSettings(),
}
for (const [name, text] of Object.entries(written)) {
  writeFileSync(join(docs, name), text)
  console.log(`wrote docs/${name}`)
}
