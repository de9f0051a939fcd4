import { z } from 'zod'
import type { FaultRecord } from './fault.ts'
import { faultCodes } from './fault.ts'

/**
 * A **Gate** is a named check of a tree or a change; its **Verdict** is one of four. Only `passed` and
 * `not-applicable` let anything through: unavailable, skipped, empty or unknown never count as passed.
 */
export interface Finding {
  readonly gate: string
  /** Stable name of the rule within its gate: `no-floating-promises`, `contract-changed`. */
  readonly rule: string
  readonly level: 'error' | 'warning' | 'note'
  readonly message: string
  /** Where, in the judged tree; null where a finding is about the whole change. Lines count from 1. */
  readonly place: { readonly path: string; readonly line: number | null } | null
  /** How to mend it; shown to the agent and to people. */
  readonly mend: string | null
}

export type NonEmpty<T> = readonly [T, ...T[]]
/** Named figures of a run, with the unit in the name: `tests`, `durationMs`, `assertions`. */
export type Measures = Readonly<Record<string, number>>

export type Verdict =
  | { readonly kind: 'passed'; readonly measures: Measures }
  | { readonly kind: 'failed'; readonly findings: NonEmpty<Finding>; readonly measures: Measures }
  | { readonly kind: 'unavailable'; readonly cause: FaultRecord }
  | { readonly kind: 'not-applicable'; readonly because: string }

/** What one gate said in one run. `cached` says the verdict stands from an earlier run that read the same. */
export interface GateResult {
  readonly gate: string
  readonly verdict: Verdict
  readonly durationMs: number
  readonly cached: boolean
}

export const passed = (measures: Measures = {}): Verdict => ({ kind: 'passed', measures })
export const notApplicable = (because: string): Verdict => ({ kind: 'not-applicable', because })
export const unavailable = (cause: FaultRecord): Verdict => ({ kind: 'unavailable', cause })
/** Passed when there is nothing to say, else failed. */
export const verdictOf = (findings: readonly Finding[], measures: Measures = {}): Verdict => {
  const [first, ...rest] = findings
  return first === undefined ? passed(measures) : { kind: 'failed', findings: [first, ...rest], measures }
}

export const findingSchema: z.ZodType<Finding> = z.strictObject({
  gate: z.string(),
  rule: z.string(),
  level: z.enum(['error', 'warning', 'note']),
  message: z.string(),
  place: z.strictObject({ path: z.string(), line: z.number().int().positive().nullable() }).nullable(),
  mend: z.string().nullable(),
})

const measuresSchema = z.record(z.string(), z.number())
export const faultSchema: z.ZodType<FaultRecord> = z.strictObject({
  code: z.enum(faultCodes),
  message: z.string(),
  hint: z.string(),
  retryable: z.boolean(),
})

export const verdictSchema: z.ZodType<Verdict> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('passed'), measures: measuresSchema }),
  z.strictObject({
    kind: z.literal('failed'),
    findings: z.tuple([findingSchema], findingSchema).readonly(),
    measures: measuresSchema,
  }),
  z.strictObject({ kind: z.literal('unavailable'), cause: faultSchema }),
  z.strictObject({ kind: z.literal('not-applicable'), because: z.string() }),
])

export const gateResultSchema: z.ZodType<GateResult> = z.strictObject({
  gate: z.string(),
  verdict: verdictSchema,
  durationMs: z.number(),
  cached: z.boolean(),
})

/** What all the gates of a tree say together. An empty list says nothing, so it is unavailable. */
export type Judgement =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly findings: NonEmpty<Finding> }
  | { readonly kind: 'unavailable'; readonly gates: NonEmpty<{ readonly gate: string; readonly cause: FaultRecord }> }

/** Findings win over unavailability: what is known to be wrong can be mended while a gate is away. */
export function judge(results: readonly GateResult[]): Judgement {
  const findings = results.flatMap(({ verdict }) => (verdict.kind === 'failed' ? verdict.findings : []))
  const [finding, ...others] = findings
  if (finding !== undefined) return { kind: 'failed', findings: [finding, ...others] }

  const away = results.flatMap(({ gate, verdict }) =>
    verdict.kind === 'unavailable' ? [{ gate, cause: verdict.cause }] : [],
  )
  const nothing = { gate: 'none', cause: noGateRan }
  const [missing, ...more] = results.length === 0 ? [nothing] : away
  if (missing !== undefined) return { kind: 'unavailable', gates: [missing, ...more] }
  return { kind: 'passed' }
}

const noGateRan: FaultRecord = {
  code: 'bad-settings',
  message: 'no gate judged this tree',
  hint: 'declare at least one gate in .gaffer/gaffer.yaml',
  retryable: false,
}
