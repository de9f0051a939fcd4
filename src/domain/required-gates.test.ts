import { describe, expect, it } from 'vitest'
import { digestOfGateSettings, requiredGates } from './required-gates.ts'
import { settingsSchema } from './settings.ts'

const settingsWith = (gates: Record<string, object>) => settingsSchema.parse({ version: 1, gates })
const names = (gates: Record<string, object>, level: 'unit' | 'final') =>
  requiredGates(settingsWith(gates), level).map(({ name }) => name)

describe('the gates a change needs', () => {
  it('are those declared for the level, and the standing ones', () => {
    const gates = { tests: { at: 'final' }, lint: {}, quick: { at: 'unit' } }
    expect(names(gates, 'final')).toEqual(['contracts', 'lint', 'scope', 'secrets', 'tests'])
    expect(names(gates, 'unit')).toEqual(['contracts', 'lint', 'quick', 'scope', 'secrets'])
  })

  it('include a standing gate whatever its entry says', () => {
    const [contracts, scope, secrets] = requiredGates(
      settingsWith({ scope: { at: 'unit', strict: true }, secrets: { gate: 'command', run: 'true' } }),
      'final',
    )
    expect(contracts).toEqual({ name: 'contracts', entry: { gate: 'contracts', at: 'both' } })
    expect(scope).toEqual({ name: 'scope', entry: { gate: 'scope', at: 'both', strict: true } })
    expect(secrets?.entry.gate).toBe('secrets')
  })

  it('have settings whose digest changes with the entry and not with the order of its fields', () => {
    const digest = (entry: object) => requiredGates(settingsWith({ tests: entry }), 'final').map(digestOfGateSettings)
    expect(digest({ run: 'a', at: 'final' })).toEqual(digest({ at: 'final', run: 'a' }))
    expect(digest({ run: 'a' })).not.toEqual(digest({ run: 'b' }))
  })
})
