import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { z } from 'zod'

/** One test as a JUnit XML report tells it. */
export interface TestCase {
  readonly name: string
  /** Names of the suites around it, outermost first. */
  readonly suites: readonly string[]
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** As the report names it: relative or absolute; null when it does not. */
  readonly file: string | null
  readonly line: number | null
  /** What a failure says. */
  readonly message: string
}
export interface JUnit {
  readonly cases: readonly TestCase[]
  /** Failures that the report counts and does not list; more than none means it was cut or edited. */
  readonly unlistedFailures: number
}

/** Tests that were run at all: a skipped one shows nothing. */
export const ranIn = ({ cases }: JUnit): number => cases.filter(({ outcome }) => outcome !== 'skipped').length

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#text',
  parseTagValue: false,
  parseAttributeValue: false,
  isArray: (name) => ['testsuites', 'testsuite', 'testcase', 'failure', 'error', 'skipped'].includes(name),
})

const text = z.union([z.string(), z.looseObject({ '#text': z.string().optional(), '@message': z.string().optional() })])
const caseSchema = z.looseObject({
  '@name': z.string().default(''),
  '@classname': z.string().optional(),
  '@file': z.string().optional(),
  '@line': z.string().optional(),
  failure: z.array(text).default([]),
  error: z.array(text).default([]),
  skipped: z.array(z.unknown()).default([]),
})
const blankOr = <Schema extends z.ZodType>(schema: Schema) =>
  z.union([schema, z.string().transform(() => schema.parse({}))])
const suiteSchema = z.looseObject({
  '@name': z.string().default(''),
  '@file': z.string().optional(),
  '@failures': z.string().optional(),
  '@errors': z.string().optional(),
  testcase: z.array(blankOr(caseSchema)).default([]),
  get testsuite() {
    return z.array(z.union([suiteSchema, z.string().transform(() => null)])).default([])
  },
})
type Suite = z.infer<typeof suiteSchema>
const documentSchema = z.looseObject({
  testsuites: z.array(z.union([suiteSchema, z.string().transform(() => null)])).optional(),
  testsuite: z.array(z.union([suiteSchema, z.string().transform(() => null)])).optional(),
})

/**
 * Reads JUnit XML as test runners write it (Node, vitest, jest, pytest, surefire, gotestsum …). undefined when it is no
 * JUnit XML, or not whole. Document type declarations are refused: no test runner writes one.
 */
export function parseJUnit(xml: string): JUnit | undefined {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(xml)) return undefined
  const document = readXml(xml)
  if (document === undefined) return undefined
  const roots = [...(document.testsuites ?? []), ...(document.testsuite ?? [])]
  if (document.testsuites === undefined && document.testsuite === undefined) return undefined
  const suites = roots.filter((suite) => suite !== null)
  const wrapped = document.testsuites !== undefined
  const cases = suites.flatMap((suite) => casesOf(suite, wrapped ? [] : [suite['@name']]))
  const counted = suites.reduce((sum, suite) => sum + countedFailures(suite), 0)
  const listed = suites.reduce((sum, suite) => sum + listedFailures(suite), 0)
  return { cases, unlistedFailures: Math.max(0, counted - listed) }
}

function readXml(xml: string): z.infer<typeof documentSchema> | undefined {
  try {
    if (XMLValidator.validate(xml) !== true) return undefined
    return documentSchema.safeParse(parser.parse(xml)).data
  } catch {
    return undefined // the parser throws on what it refuses, such as nesting without end
  }
}

function casesOf(suite: Suite, suites: readonly string[]): readonly TestCase[] {
  const own = suite.testcase.map((test) => caseOf(test, suite, suites))
  const nested = suite.testsuite.flatMap((inner) =>
    inner === null ? [] : casesOf({ ...inner, '@file': inner['@file'] ?? suite['@file'] }, [...suites, inner['@name']]),
  )
  return [...own, ...nested]
}

function caseOf(test: z.infer<typeof caseSchema>, suite: Suite, suites: readonly string[]): TestCase {
  const failures = [...test.failure, ...test.error]
  const line = Number(test['@line'])
  return {
    name: decode(test['@name']),
    suites: suites.map(decode).filter((name) => name !== ''),
    // Node lists the failure of a `todo`, and does not count it as one.
    outcome: test.skipped.length > 0 ? 'skipped' : failures.length > 0 ? 'failed' : 'passed',
    file: test['@file'] ?? suite['@file'] ?? fileName(test['@classname']) ?? fileName(suite['@name']) ?? null,
    line: Number.isInteger(line) && line > 0 ? line : null,
    message: failures.map((failure) => decode(messageOf(failure))).join('\n'),
  }
}

const messageOf = (failure: z.infer<typeof text>): string => {
  if (typeof failure === 'string') return failure
  const message = failure['@message'] ?? ''
  const body = failure['#text'] ?? ''
  return body.includes(message) ? body : `${message}\n${body}`
}

/** Runners that have no `file` put the file's path where the class or suite would be. */
const fileName = (name: string | undefined): string | undefined =>
  name !== undefined &&
  /^[^\s<>:]*[^\s<>:./]\.[A-Za-z]{1,5}$/.test(name) &&
  /\.(?:[cm]?[jt]sx?|py|rb|php|go|rs)$/.test(name)
    ? name
    : undefined

const listedFailures = (suite: Suite): number =>
  suite.testcase.filter(({ failure, error }) => failure.length + error.length > 0).length +
  suite.testsuite.reduce((sum, inner) => sum + (inner === null ? 0 : listedFailures(inner)), 0)

/** The suite's own count, or that of the suites in it where it has none. */
function countedFailures(suite: Suite): number {
  const counts = [suite['@failures'], suite['@errors']].filter((count) => count !== undefined)
  const own = counts.reduce((sum, count) => sum + (Number.parseInt(count, 10) || 0), 0)
  const inner = suite.testsuite.reduce((sum, nested) => sum + (nested === null ? 0 : countedFailures(nested)), 0)
  return Math.max(own, inner)
}

/** Numeric character references, which the parser leaves as they are. */
const decode = (value: string): string =>
  value.replace(/&#(?:x([0-9a-f]{1,6})|(\d{1,7}));/gi, (whole, hex?: string, decimal?: string) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return code <= 0x10_ff_ff ? String.fromCodePoint(code) : whole
  })
