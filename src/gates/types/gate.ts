import type { Gate } from '../../ports/gate.ts'
import { reportPathSchema } from '../../reports/report-file.ts'
import { parseOptions, runOption } from '../options.ts'
import { runChecker } from '../run-checker.ts'
import { wholeTree } from '../whole-tree.ts'

/** A type checker: its exit code and the places in what it prints. A checker that prints errors and exits with 0 has failed. */
export const types: Gate = {
  name: 'types',
  version: 1,
  reads: wholeTree,
  async run(judged) {
    const options = parseOptions(judged, { run: runOption, sarif: reportPathSchema.optional() })
    return runChecker(judged, options)
  },
}
