import type { FaultRecord } from '../domain/fault.ts'
import { standingGates } from '../domain/required-gates.ts'
import { paths, type GateSettings, type Settings } from '../domain/settings.ts'
import type { Gate, Judged } from '../ports/gate.ts'

/** What is to run under a name, or why nothing can. */
export type Selected =
  | { readonly kind: 'gate'; readonly name: string; readonly gate: Gate; readonly options: GateSettings }
  | { readonly kind: 'unavailable'; readonly name: string; readonly cause: FaultRecord }

/** The gates of a level in order of name, one entry for a name; the standing ones whether or not they are listed. */
export function selectGates({
  settings,
  level,
  gates,
}: {
  readonly settings: Pick<Settings, 'gates'>
  readonly level: Judged['level']
  readonly gates: ReadonlyMap<string, Gate>
}): readonly Selected[] {
  const always: readonly string[] = standingGates
  const declared = Object.entries(settings.gates)
    .filter(([name, { at }]) => at === 'both' || at === level || always.includes(name))
    .map(([name, options]) => select(name, options, gates))
  const added = standingGates
    .filter((name) => settings.gates[name] === undefined)
    .map((name) => select(name, { at: 'both' }, gates))
  return [...declared, ...added].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function select(name: string, options: GateSettings, gates: ReadonlyMap<string, Gate>): Selected {
  const wanted = options.gate ?? name
  if (standingGates.some((reserved) => reserved === name) && wanted !== name)
    return unavailable(
      name,
      `the name ${name} belongs to the gate ${name}`,
      `give the entry gates.${name} another name`,
    )
  const gate = gates.get(wanted)
  const known = [...gates.keys()].toSorted().join(', ')
  return gate === undefined
    ? unavailable(name, `there is no gate ${wanted}`, `use one of ${known}; \`gate: command\` runs any command line`)
    : { kind: 'gate', name, gate, options }
}

const unavailable = (name: string, what: string, hint: string): Selected => ({
  kind: 'unavailable',
  name,
  cause: { code: 'bad-settings', message: `${paths.settings}: ${what}`, hint, retryable: false },
})
