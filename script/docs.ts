import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { buildProgram } from '../src/cli/program.ts'
import { renderReference } from '../src/cli/reference.ts'

/** Writes what is written by the code itself. A test fails when it was forgotten. */
const file = join(resolve(import.meta.dirname, '..'), 'docs', 'cli.md')
writeFileSync(file, renderReference(buildProgram(() => Promise.resolve(), '')))
console.log(`wrote ${file}`)
