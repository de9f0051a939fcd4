import { z } from 'zod'

/** One result of a SARIF 2.1.0 log, as far as a finding needs it. */
export interface SarifResult {
  readonly rule: string
  readonly level: 'error' | 'warning' | 'note'
  readonly message: string
  /** URI or path as the tool names it. */
  readonly uri: string | null
  readonly line: number | null
}
export interface Sarif {
  readonly results: readonly SarifResult[]
  /** Results that a comment or a baseline in the tool's own configuration took back. */
  readonly suppressed: number
  /** Whether a tool says of itself that it could not do its work. */
  readonly toolFailed: boolean
}

const levels = z.enum(['none', 'note', 'warning', 'error'])
const count = z.number().int()
const ruleSchema = z.looseObject({
  id: z.string(),
  defaultConfiguration: z.looseObject({ level: levels.optional() }).optional(),
})
const locationSchema = z.looseObject({
  physicalLocation: z
    .looseObject({
      artifactLocation: z.looseObject({ uri: z.string().optional(), index: count.optional() }).optional(),
      region: z.looseObject({ startLine: count.positive().optional() }).optional(),
    })
    .optional(),
})
const resultSchema = z.looseObject({
  ruleId: z.string().optional(),
  ruleIndex: count.optional(),
  rule: z.looseObject({ id: z.string().optional(), index: count.optional() }).optional(),
  kind: z.enum(['pass', 'open', 'informational', 'notApplicable', 'review', 'fail']).optional(),
  level: levels.optional(),
  baselineState: z.enum(['new', 'unchanged', 'updated', 'absent']).optional(),
  message: z.looseObject({ text: z.string().optional(), markdown: z.string().optional(), id: z.string().optional() }),
  locations: z.array(locationSchema).optional(),
  suppressions: z.array(z.looseObject({ status: z.string().optional() })).optional(),
})
const runSchema = z.looseObject({
  tool: z.looseObject({ driver: z.looseObject({ name: z.string(), rules: z.array(ruleSchema).optional() }) }),
  invocations: z.array(z.looseObject({ executionSuccessful: z.boolean().optional() })).optional(),
  artifacts: z.array(z.looseObject({ location: z.looseObject({ uri: z.string().optional() }).optional() })).optional(),
  results: z.array(resultSchema).nullable().optional(),
})
const logSchema = z.looseObject({ version: z.literal('2.1.0'), runs: z.array(runSchema).min(1) })

type Run = z.infer<typeof runSchema>
type Result = z.infer<typeof resultSchema>

/**
 * Reads a SARIF 2.1.0 log (OASIS). undefined when it is none, has no run, or a run has no results at all, which by
 * the standard means that the tool did not look.
 */
export function parseSarif(text: string): Sarif | undefined {
  const log = logSchema.safeParse(jsonOf(text)).data
  if (log === undefined || log.runs.some(({ results }) => results === undefined || results === null)) return undefined
  const failures = log.runs.flatMap((run) => (run.results ?? []).filter(isFailure).map((result) => ({ run, result })))
  const standing = failures.filter(({ result }) => !isSuppressed(result))
  return {
    results: standing.map(({ run, result }) => resultOf(run, result)),
    suppressed: failures.length - standing.length,
    toolFailed: log.runs.some(({ invocations }) => invocations?.some((one) => one.executionSuccessful === false)),
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `kind` is "fail" where it is not given (3.27.9); a result with level none is no problem. */
const isFailure = ({ kind = 'fail', level, baselineState }: Result): boolean =>
  baselineState !== 'absent' && level !== 'none' && (kind === 'fail' || kind === 'open' || kind === 'review')

/** A suppression counts once it is accepted; with no status it is (3.35.3). */
const isSuppressed = ({ suppressions = [] }: Result): boolean =>
  suppressions.length > 0 && suppressions.every(({ status = 'accepted' }) => status === 'accepted')

function resultOf(run: Run, result: Result): SarifResult {
  const rules = run.tool.driver.rules ?? []
  const index = result.ruleIndex ?? result.rule?.index ?? -1
  const id = result.ruleId ?? result.rule?.id ?? rules[index]?.id ?? run.tool.driver.name
  const rule = rules[index] ?? rules.find((one) => one.id === id)
  const location = result.locations?.[0]?.physicalLocation
  const artifact = location?.artifactLocation
  return {
    rule: id,
    level: levelOf(result.level ?? rule?.defaultConfiguration?.level ?? 'warning'),
    message: result.message.text ?? result.message.markdown ?? result.message.id ?? id,
    uri: artifact?.uri ?? run.artifacts?.[artifact?.index ?? -1]?.location?.uri ?? null,
    line: location?.region?.startLine ?? null,
  }
}

const levelOf = (level: z.infer<typeof levels>): SarifResult['level'] => (level === 'none' ? 'note' : level)
