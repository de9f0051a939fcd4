import type { UnitOnTheWire } from '../../contract/task-detail.ts'
import { plural } from '../render/layout.ts'
import { measurePatch, type PatchSize } from './measure-patch.ts'

export interface Risk {
  /** Only for the order; says nothing by itself. */
  readonly weight: number
  readonly size: PatchSize
  /** Why to look closely, each in a few words. */
  readonly reasons: readonly string[]
}

const touchy: readonly (readonly [RegExp, number, string])[] = [
  [
    /(?:^|\/)(?:package(?:-lock)?\.json|[^/]*\.lock|pnpm-lock\.yaml|go\.(?:mod|sum)|Cargo\.toml|requirements[^/]*\.txt)$/,
    40,
    'dependencies',
  ],
  [/(?:^|\/)migrations?\/|\.sql$/i, 40, 'the database'],
  [/(?:^|\/)(?:\.github|\.gitlab|\.ci|ci|deploy)\/|(?:^|\/)(?:Dockerfile|Makefile)[^/]*$/i, 30, 'build or deployment'],
  [/auth|crypt|secret|session|passw|token|permission|sandbox/i, 30, 'security'],
  [/(?:^|\/)(?:tests?|__tests__|spec)\/|\.(?:test|spec)\.[a-z]+$/i, 0, ''],
]

/** What makes a unit worth a closer look, for the order of a review. Pure. */
export function riskOf(unit: UnitOnTheWire, patch: string): Risk {
  const size = measurePatch(patch)
  const rounds = unit.rounds.filter(({ outcome }) => outcome === 'failed').length
  const touched = touchy.filter(([pattern, weight]) => weight > 0 && size.files.some(({ path }) => pattern.test(path)))
  const untested = size.added > 0 && !size.files.some(({ path }) => touchy.at(-1)?.[0].test(path) === true)
  const lines = size.added + size.removed
  return {
    weight: lines + rounds * 25 + touched.reduce((sum, [, weight]) => sum + weight, 0) + (untested ? 20 : 0),
    size,
    reasons: [
      ...(rounds > 0 ? [`caught in ${plural(rounds, 'round')}`] : []),
      ...touched.map(([, , what]) => `touches ${what}`),
      ...(untested ? ['no test changed'] : []),
      ...(lines > 200 ? ['large'] : []),
      ...(unit.checkpoint?.claims === null ? ['no account by the agent'] : []),
    ],
  }
}
