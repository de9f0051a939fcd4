import type { TreeSha } from '../domain/ids.ts'
import { digestOfJson } from '../domain/json.ts'
import type { GateSettings } from '../domain/settings.ts'
import type { Gate } from '../ports/gate.ts'

interface Keyed {
  readonly name: string
  readonly gate: Pick<Gate, 'name' | 'version'>
  readonly options: GateSettings
}

/**
 * The name of a verdict in the cache: SHA-256 over the gate, its version, its options and everything that it read.
 * The name it was declared under is in it because findings carry it.
 */
export const verdictKey = ({ name, gate, options }: Keyed, reads: readonly string[]): string =>
  digestOfJson({ kind: 'verdict', name, gate: gate.name, version: gate.version, options, reads })

/** The name under which is kept what a gate measured on a tree, for changes that have that tree as their base. */
export const baselineKey = ({ name, gate, options }: Keyed, tree: TreeSha): string =>
  digestOfJson({ kind: 'baseline', name, gate: gate.name, version: gate.version, options, tree })
