import { unavailable, verdictOf, type Finding, type Verdict } from '../domain/verdict.ts'
import type { Judged } from '../ports/gate.ts'
import { bounded, outputFinding, sarifFindings, type Reporter } from '../reports/findings.ts'
import { onRealLines } from '../reports/place.ts'
import { plainText } from '../reports/plain-text.ts'
import { readReports, type Reports } from '../reports/read-reports.ts'
import { runLine, type Ended } from '../reports/run-line.ts'
import { parseTextual } from '../reports/textual.ts'

/** Runs a linter or type checker over the whole tree, for the gates `lint` and `types`. */
export async function runChecker(
  judged: Judged,
  options: { readonly run: string; readonly sarif?: string | undefined },
): Promise<Verdict> {
  const room = await judged.room()
  const reporter = { gate: judged.name, checkout: room.folder }
  const ended = await runLine(room, options.run)
  const { sarif } = await readReports(room, options, ended.startedAt)
  const where = { history: judged.repository, at: judged.tree }
  // What only looks like a place (a URL, a stack of the tool itself) names no file of the tree.
  const printed = parseTextual(plainText(ended.output), reporter)
  const real = (await onRealLines(printed, where)).filter(({ place }) => place !== null)
  const verdict = decide({ ended, sarif, printed: real, reporter })
  if (verdict.kind !== 'failed') return verdict
  return verdictOf(bounded(await onRealLines(verdict.findings, where)), verdict.measures)
}

/** A checker has passed when it ended with 0, its log (where declared) can be read, and neither names an error. */
export function decide(input: {
  readonly ended: Ended
  readonly sarif: Reports['sarif']
  /** What it printed, as findings. */
  readonly printed: readonly Finding[]
  readonly reporter: Reporter
}): Verdict {
  const { ended, sarif, printed, reporter } = input
  if (sarif?.kind === 'unusable' || (sarif?.kind === 'absent' && ended.exitCode === 0)) return unavailable(sarif.cause)
  const log = sarif?.kind === 'read' ? sarif.content : undefined
  if (log?.toolFailed === true && ended.exitCode === 0)
    return unavailable({
      code: 'report-unusable',
      message: 'the tool reports in its SARIF log that it could not do its work',
      hint: 'run the command by hand and see what it says',
      retryable: false,
    })
  const reported = log === undefined ? printed : sarifFindings(log, reporter)
  const errors = reported.filter(({ level }) => level === 'error')
  const measures = {
    errors: errors.length,
    warnings: reported.length - errors.length,
    commandMs: Math.round(ended.durationMs),
    ...(log && { suppressed: log.suppressed }),
  }
  // Compilers name an error by its code; other printed lines of a run that ended with 0 may be about anything.
  const sure = log === undefined ? errors.filter(({ rule }) => /^TS\d+$/.test(rule)) : errors
  if (ended.exitCode === 0) return verdictOf(sure, measures)
  return verdictOf(reported.length > 0 ? reported : [outputFinding(ended, reporter.gate)], measures)
}
