import type { Gate } from '../ports/gate.ts'
import { command } from './command/gate.ts'
import { contracts } from './contracts/gate.ts'
import { lint } from './lint/gate.ts'
import { scope } from './scope/gate.ts'
import { secrets } from './secrets/gate.ts'
import { tests } from './tests/gate.ts'
import { types } from './types/gate.ts'

const all = [command, contracts, lint, scope, secrets, tests, types]

/** Every gate there is, by name. A new gate is a folder beside these and one line here. */
export const gates: ReadonlyMap<string, Gate> = new Map(all.map((gate) => [gate.name, gate]))
