import type { Room } from '../ports/gate.ts'
import { parseJUnit, type JUnit } from './junit.ts'
import { parseLcov, type Lcov } from './lcov.ts'
import { readReport, reportPathSchema, unusable, type Report } from './report-file.ts'
import { parseSarif, type Sarif } from './sarif.ts'

/** Options of a gate whose command leaves reports below `$GAFFER_REPORTS`. */
export const reportOptions = {
  sarif: reportPathSchema.optional(),
  junit: reportPathSchema.optional(),
  lcov: reportPathSchema.optional(),
}
export interface Reports {
  readonly sarif?: Report<Sarif> | undefined
  readonly junit?: Report<JUnit> | undefined
  readonly lcov?: Report<Lcov> | undefined
}

/** Reads what a command that started at `startedAt` declared to leave. What was not declared is not there. */
export async function readReports(
  room: Pick<Room, 'reports'>,
  declared: { readonly [Name in keyof typeof reportOptions]?: string | undefined },
  startedAt: number,
): Promise<Reports> {
  const read = async <Content>(path: string | undefined, what: string, parse: (text: string) => Content | undefined) =>
    path === undefined
      ? undefined
      : parsed(path, what, parse, await readReport({ folder: room.reports, path, startedAt }))
  const [sarif, junit, lcov] = await Promise.all([
    read(declared.sarif, 'a SARIF 2.1.0 log with results', parseSarif),
    read(declared.junit, 'whole JUnit XML', parseJUnit),
    read(declared.lcov, 'a whole LCOV tracefile', parseLcov),
  ])
  return { sarif, junit, lcov }
}

function parsed<Content>(
  path: string,
  what: string,
  parse: (text: string) => Content | undefined,
  report: Report<string>,
): Report<Content> {
  if (report.kind !== 'read') return report
  const content = parse(report.content)
  return content === undefined ? unusable(path, `is not ${what}`) : { kind: 'read', content }
}
