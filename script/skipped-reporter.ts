import { appendFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

/**
 * Writes down each test that did not run, as a line of JSON in the file that GAFFER_SKIPPED names: its full name and
 * the note it was skipped with, which vitest's own JSON leaves out.
 */
// oxlint-disable-next-line import/no-default-export -- vitest takes the default export of a reporter's file
export default class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const file = process.env['GAFFER_SKIPPED']
    if (file === undefined) return
    for (const module of modules)
      for (const test of module.children.allTests('skipped')) {
        const result = test.result()
        const note = result.state === 'skipped' ? (result.note ?? null) : null
        appendFileSync(file, `${JSON.stringify({ name: test.fullName, file: module.relativeModuleId, note })}\n`)
      }
  }
}
