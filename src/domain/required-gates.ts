import type { Digest } from './ids.ts'
import { digestOfJson } from './json.ts'
import type { GateSettings, Settings } from './settings.ts'

/** Judged on every change of every repository, declared or not: what an agent may touch, what people own, what must not leak. */
export const standingGates = ['contracts', 'scope', 'secrets'] as const

export interface RequiredGate {
  /** The name it is declared under; its evidence carries it. */
  readonly name: string
  readonly entry: GateSettings
}

/**
 * The gates that have to judge a change at a level, in order of name. One rule for the runner of gates (what runs),
 * for the sign-off (what must be there) and for `verify` (what must have been there). `settings` are always those of
 * the protected base. A standing gate can be given options but not put off, nor stand for another gate.
 */
export function requiredGates(settings: Settings, level: 'unit' | 'final'): readonly RequiredGate[] {
  const standing: readonly string[] = standingGates
  const declared = Object.entries(settings.gates)
    .filter(([name, { at }]) => (at === 'both' || at === level) && !standing.includes(name))
    .map(([name, entry]): RequiredGate => ({ name, entry }))
  const always = standing.map((name): RequiredGate => {
    const options = Object.hasOwn(settings.gates, name) ? settings.gates[name] : undefined
    return { name, entry: { ...options, gate: name, at: 'both' } }
  })
  return [...declared, ...always].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * What evidence says it was judged under: the entry as `requiredGates` gives it. `verify` computes it again for every
 * landing there ever was, so a new default in the schema of gates must not show up here.
 */
export const digestOfGateSettings = ({ entry }: RequiredGate): Digest => digestOfJson(entry)
