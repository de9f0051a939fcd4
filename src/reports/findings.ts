import type { Finding } from '../domain/verdict.ts'
import type { JUnit, TestCase } from './junit.ts'
import { quote, tail } from './plain-text.ts'
import { treePath } from './place.ts'
import type { Ended } from './run-line.ts'
import type { Sarif } from './sarif.ts'

/** Whose findings they are, and the checkout that absolute paths in reports start with. */
export interface Reporter {
  readonly gate: string
  readonly checkout: string
}

const most = 100

/** At most a hundred findings, the worst first, the last one saying how many more there are. */
export function bounded(findings: readonly Finding[]): readonly Finding[] {
  if (findings.length <= most) return findings
  const worst = findings.toSorted((a, b) => rank[a.level] - rank[b.level]).slice(0, most - 1)
  const [{ gate, level }] = worst as [Finding, ...Finding[]]
  const message = `and ${findings.length - worst.length} more`
  return [...worst, { gate, rule: 'more-findings', level, message, place: null, mend: null }]
}
const rank = { error: 0, warning: 1, note: 2 }

export const sarifFindings = (sarif: Sarif, { gate, checkout }: Reporter): readonly Finding[] =>
  sarif.results.map(({ rule, level, message, uri, line }) => {
    const path = uri === null ? null : treePath(unescapeUri(uri), checkout)
    return {
      gate,
      rule: quote(rule, 200),
      level,
      message: quote(message) || rule,
      place: path === null ? null : { path, line },
      mend: null,
    }
  })

/** SARIF names files by URI references, so that spaces and the like are escaped; some tools do not. */
function unescapeUri(uri: string): string {
  if (uri.startsWith('file:')) return uri
  try {
    return decodeURIComponent(uri)
  } catch {
    return uri
  }
}

/** What a test is called in findings: its suites and its name. */
export const fullName = ({ suites, name }: Pick<TestCase, 'suites' | 'name'>): string => [...suites, name].join(' > ')

export const junitFindings = (junit: JUnit, reporter: Reporter): readonly Finding[] => {
  const failed = junit.cases.filter(({ outcome }) => outcome === 'failed')
  const findings = failed.map((test): Finding => ({
    gate: reporter.gate,
    rule: 'test-failed',
    level: 'error',
    message: `${quote(fullName(test), 300)}\n${tail(test.message, 30, 2_000)}`.trim(),
    place: placeOf(test, reporter),
    mend: null,
  }))
  if (junit.unlistedFailures === 0) return findings
  return [
    ...findings,
    {
      gate: reporter.gate,
      rule: 'report-contradicts-itself',
      level: 'error',
      message: `the report counts ${junit.unlistedFailures} more failures than it lists`,
      place: null,
      mend: 'run the command by hand and look at what it prints',
    },
  ]
}

/** The line that failed where the message tells one in the test's own file, else the test's. */
function placeOf(test: TestCase, { checkout }: Reporter): Finding['place'] {
  const path = test.file === null ? null : treePath(test.file, checkout)
  if (path === null) return null
  for (const [, named = '', line = ''] of test.message.matchAll(/((?:file:\/\/)?[^\s()'":]+):(\d{1,7}):\d+/g))
    if (treePath(named, checkout) === path && Number(line) > 0) return { path, line: Number(line) }
  return { path, line: test.line }
}

/** A command that said no, in its own last words. */
export const outputFinding = ({ exitCode, output }: Ended, gate: string, rule = 'command-failed'): Finding => ({
  gate,
  rule,
  level: 'error',
  message: `the command ended with exit code ${exitCode}\n${tail(output) || 'and printed nothing'}`,
  place: null,
  mend: null,
})
