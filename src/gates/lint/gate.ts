import type { Gate } from '../../ports/gate.ts'
import { reportPathSchema } from '../../reports/report-file.ts'
import { parseOptions, runOption } from '../options.ts'
import { runChecker } from '../run-checker.ts'
import { wholeTree } from '../whole-tree.ts'

/** A linter: its exit code, and where it writes one, its SARIF log; else the places in what it prints. */
export const lint: Gate = {
  name: 'lint',
  version: 1,
  reads: wholeTree,
  async run(judged) {
    const options = parseOptions(judged, { run: runOption, sarif: reportPathSchema.optional() })
    return runChecker(judged, options)
  },
}
