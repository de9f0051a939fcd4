import type { AcceptanceLine } from '../../domain/brief.ts'
import { unavailable, verdictOf, type Finding, type Measures, type Verdict } from '../../domain/verdict.ts'
import { digestOfJson } from '../../domain/json.ts'
import type { Gate } from '../../ports/gate.ts'
import { bounded, junitFindings, outputFinding, type Reporter } from '../../reports/findings.ts'
import type { JUnit } from '../../reports/junit.ts'
import { onRealLines } from '../../reports/place.ts'
import { reportPathSchema, type Report } from '../../reports/report-file.ts'
import { readReports } from '../../reports/read-reports.ts'
import { runLine, type Ended } from '../../reports/run-line.ts'
import { parseOptions, runOption } from '../options.ts'
import { wholeTree } from '../whole-tree.ts'
import { unshown } from './acceptance.ts'

/** The tests, told by a JUnit XML report and cross-checked with the exit code and with what is known of the base. */
export const tests: Gate = {
  name: 'tests',
  version: 2,
  usesBaseline: true,
  reads: (judged) => [
    ...wholeTree(judged),
    `tests of the base ${judged.baseline === null ? 'unknown' : ran(judged.baseline)}`,
    `acceptance ${digestOfJson(judged.level === 'final' ? (judged.brief?.acceptance ?? []) : [])}`,
  ],
  async run(judged) {
    const { run, junit } = parseOptions(judged, { run: runOption, junit: reportPathSchema.default('junit.xml') })
    const room = await judged.room()
    const ended = await runLine(room, run)
    const { junit: report } = await readReports(room, { junit }, ended.startedAt)
    const verdict = decide({
      ended,
      report,
      reporter: { gate: judged.name, checkout: room.folder },
      baseline: judged.baseline,
      acceptance: judged.level === 'final' ? (judged.brief?.acceptance ?? []) : [],
    })
    if (verdict.kind !== 'failed') return verdict
    const findings = await onRealLines(verdict.findings, { history: judged.repository, at: judged.tree })
    return verdictOf(bounded(findings), verdict.measures)
  },
}

/** Everything there is to know once the tests have run; says what it means. */
export function decide(input: {
  readonly ended: Ended
  readonly report: Report<JUnit> | undefined
  readonly reporter: Reporter
  readonly baseline: Measures | null
  readonly acceptance: readonly AcceptanceLine[]
}): Verdict {
  const { ended, report, reporter, baseline, acceptance } = input
  if (report === undefined) return ranNoTest('no report of the tests is declared')
  if (report.kind === 'absent' && ended.exitCode !== 0) return verdictOf([outputFinding(ended, reporter.gate)])
  if (report.kind !== 'read') return unavailable(report.cause)

  const { cases } = report.content
  const count = (outcome: string): number => cases.filter((test) => test.outcome === outcome).length
  const isBaseKnown = baseline !== null && ran(baseline) > 0
  const measures: Measures = {
    tests: cases.length,
    passed: count('passed'),
    failures: count('failed'),
    skipped: count('skipped'),
    commandMs: Math.round(ended.durationMs),
    // The base may have no test yet, or cannot be run: said, so that nobody takes it for a comparison.
    ...(!isBaseKnown && { baseUnknown: 1 }),
  }
  if (ran(measures) === 0)
    return ranNoTest(cases.length === 0 ? 'the run had no test' : `all ${cases.length} tests were skipped`)

  const failures = junitFindings(report.content, reporter)
  const findings: readonly Finding[] = [
    ...failures,
    ...(ended.exitCode !== 0 && failures.length === 0 ? [contradiction(ended, reporter)] : []),
    ...fewer(ran(measures), baseline, reporter),
    ...unshown(acceptance, cases, reporter.checkout).map((line) => notShown(line, reporter)),
  ]
  return verdictOf(findings, measures)
}

/** Tests that were run at all: a skipped one shows nothing. */
const ran = (measures: Measures): number => (measures['tests'] ?? 0) - (measures['skipped'] ?? 0)

const ranNoTest = (why: string): Verdict =>
  unavailable({
    code: 'report-unusable',
    message: `ran no test: ${why}`,
    hint: 'make `run` find the tests and write JUnit XML to $GAFFER_REPORTS/junit.xml',
    retryable: false,
  })

const contradiction = (ended: Ended, { gate }: Reporter): Finding => {
  const { message, ...rest } = outputFinding(ended, gate, 'exit-contradicts-report')
  return { ...rest, message: `no test failed in the report, but ${message}` }
}

function fewer(now: number, baseline: Measures | null, { gate }: Reporter): readonly Finding[] {
  if (baseline === null || now >= ran(baseline)) return []
  return [
    {
      gate,
      rule: 'fewer-tests',
      level: 'error',
      message: `${now} tests ran; on the base it was ${ran(baseline)}`,
      place: null,
      mend: 'put back the tests that are gone, and let those run that are skipped',
    },
  ]
}

const notShown = ({ id, text, test }: AcceptanceLine & { readonly test: string }, { gate }: Reporter): Finding => ({
  gate,
  rule: 'acceptance-not-shown',
  level: 'error',
  message: `${id} (${text}) names the test ${test}, which is not among the tests that passed`,
  place: null,
  mend: `write the test ${test}, and make it pass`,
})
