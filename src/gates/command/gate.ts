import { unavailable, verdictOf, type Finding, type Measures, type Verdict } from '../../domain/verdict.ts'
import type { Gate } from '../../ports/gate.ts'
import { bounded, junitFindings, outputFinding, sarifFindings, type Reporter } from '../../reports/findings.ts'
import { ranIn } from '../../reports/junit.ts'
import { onRealLines } from '../../reports/place.ts'
import { readReports, reportOptions, type Reports } from '../../reports/read-reports.ts'
import { runLine, type Ended } from '../../reports/run-line.ts'
import { parseOptions, runOption } from '../options.ts'
import { wholeTree } from '../whole-tree.ts'

/** Any command line: its exit code, and the reports that its entry says it writes. */
export const command: Gate = {
  name: 'command',
  version: 2,
  reads: wholeTree,
  async run(judged) {
    const options = parseOptions(judged, { run: runOption, ...reportOptions })
    const room = await judged.room()
    const ended = await runLine(room, options.run)
    const reports = await readReports(room, options, ended.startedAt)
    const verdict = decide(ended, reports, { gate: judged.name, checkout: room.folder })
    if (verdict.kind !== 'failed') return verdict
    return verdictOf(
      bounded(await onRealLines(verdict.findings, { history: judged.repository, at: judged.tree })),
      verdict.measures,
    )
  },
}

/**
 * A command has passed when it ended with 0 and every report it was to leave is there and agrees. A report that
 * cannot be read makes a 0 unavailable; a command that said no has failed whether or not it left its reports.
 */
export function decide(ended: Ended, reports: Reports, reporter: Reporter): Verdict {
  const { sarif, junit, lcov } = reports
  const declared = [sarif, junit, lcov].filter((report) => report !== undefined)
  const unusable = declared.find(({ kind }) => kind === 'unusable')
  const absent = declared.find(({ kind }) => kind === 'absent')
  for (const report of [unusable, ended.exitCode === 0 ? absent : undefined])
    if (report !== undefined && report.kind !== 'read') return unavailable(report.cause)

  const log = sarif?.kind === 'read' ? sarif.content : undefined
  const tests = junit?.kind === 'read' ? junit.content : undefined
  const coverage = lcov?.kind === 'read' ? lcov.content : undefined
  const empty = emptiness({ toolFailed: log?.toolFailed, tests: tests && ranIn(tests), files: coverage?.files.length })
  if (empty !== undefined && ended.exitCode === 0) return unavailable(empty)

  const reported = log === undefined ? [] : sarifFindings(log, reporter)
  const errors = reported.filter(({ level }) => level === 'error')
  const failures = tests === undefined ? [] : junitFindings(tests, reporter)
  const lines = coverage?.files.flatMap(({ lines: hits }) => [...hits.values()])
  const measures: Measures = {
    commandMs: Math.round(ended.durationMs),
    ...(log && { results: log.results.length, suppressed: log.suppressed }),
    ...(tests && {
      tests: tests.cases.length,
      failures: failures.length,
      skipped: tests.cases.filter(({ outcome }) => outcome === 'skipped').length,
    }),
    ...(lines && { coverableLines: lines.length, coveredLines: lines.filter((hits) => hits > 0).length }),
  }
  if (ended.exitCode === 0) return verdictOf([...errors, ...failures], measures)
  // The tool may fail on warnings alone; then these are the reason.
  const reasons: readonly Finding[] = [...reported, ...failures]
  return verdictOf(reasons.length > 0 ? reasons : [outputFinding(ended, reporter.gate)], measures)
}

function emptiness(said: {
  readonly toolFailed: boolean | undefined
  readonly tests: number | undefined
  readonly files: number | undefined
}): ReturnType<typeof nothing> | undefined {
  if (said.toolFailed === true) return nothing('the tool reports in its SARIF log that it could not do its work')
  if (said.tests === 0) return nothing('no test ran: the JUnit report lists none, or only skipped ones')
  if (said.files === 0) return nothing('the LCOV tracefile has no file in it')
  return undefined
}

const nothing = (message: string) =>
  ({
    code: 'report-unusable',
    message,
    hint: 'run the command by hand and see what it looked at',
    retryable: false,
  }) as const
