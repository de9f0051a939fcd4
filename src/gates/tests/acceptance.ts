import type { AcceptanceLine } from '../../domain/brief.ts'
import type { TestCase } from '../../reports/junit.ts'
import { treePath } from '../../reports/place.ts'

/**
 * Whether a test that an acceptance line names is among the tests that passed. It is named by its file
 * (`test/orders.test.ts`), by its file and name (`test/orders.test.ts > orders > refuses null`), by its name with or
 * without the suites around it, or by a suite, which stands when a test in it passed.
 */
export function isShown(named: string, cases: readonly TestCase[], checkout: string): boolean {
  const [first = '', ...rest] = segmentsOf(named)
  const passed = cases.filter(({ outcome }) => outcome === 'passed')
  if (!looksLikeFile(first)) return passed.some((test) => isNamed(test, [first, ...rest]))
  return passed.some((test) => isIn(test, first, checkout) && (rest.length === 0 || isNamed(test, rest)))
}

/** Acceptance lines that name a test which did not pass, or is not there. */
export const unshown = (
  lines: readonly AcceptanceLine[],
  cases: readonly TestCase[],
  checkout: string,
): readonly (AcceptanceLine & { readonly test: string })[] =>
  lines.flatMap((line) =>
    line.test === null || isShown(line.test, cases, checkout) ? [] : [{ ...line, test: line.test }],
  )

const looksLikeFile = (segment: string): boolean =>
  /^\S*\.[A-Za-z]{1,5}$/.test(segment) || /^[^\s/]+(?:\/[^\s/]+)+$/.test(segment)

function isIn({ file }: TestCase, path: string, checkout: string): boolean {
  const at = file === null ? null : treePath(file, checkout)
  return at !== null && (at === path.replace(/^\.\//, '') || at.endsWith(`/${path.replace(/^\.\//, '')}`))
}

function isNamed({ suites, name, file }: TestCase, wanted: readonly string[]): boolean {
  const segments = [...suites.filter((suite) => suite !== file), name].flatMap(segmentsOf)
  const run = segments.some((_, start) => wanted.every((segment, index) => segments[start + index] === segment))
  return run || segments.join(' ') === wanted.join(' ')
}

/** Runners escape names in their own ways, and join them with ` > ` or ` › `. */
const segmentsOf = (name: string): readonly string[] =>
  name
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .split(/\s[>›]\s/)
    .map((segment) => segment.trim().replace(/\s+/g, ' '))
    .filter((segment) => segment !== '')
