import { bwrapSandbox } from '../../src/adapters/bwrap/bwrap-sandbox.ts'
import { unconfinedSandbox } from '../../src/adapters/unconfined/unconfined-sandbox.ts'
import { chooseSandbox } from '../../src/adapters/bwrap/choose-sandbox.ts'
import { expect, test } from 'vitest'
import { sandboxContract } from './sandbox.ts'

const protection = await bwrapSandbox().protects()

sandboxContract('bubblewrap', bwrapSandbox, { missing: protection.kind === 'confined' ? null : protection.why })
sandboxContract('no sandbox', unconfinedSandbox, { cannotConfine: 'without a sandbox nothing stops it' })

test('the sandbox that does not hold is not chosen, and the reason is told', async () => {
  const chosen = await chooseSandbox(bwrapSandbox({ program: 'gaffer-no-such-bwrap' }), unconfinedSandbox())
  expect(chosen.sandbox.name).toBe('none')
  expect(chosen.protection).toEqual({
    kind: 'unconfined',
    why: 'there is no gaffer-no-such-bwrap on this machine',
    todo: expect.stringContaining('install bubblewrap'),
  })
})

test.skipIf(protection.kind !== 'confined')('the sandbox that holds is chosen', async () => {
  expect((await chooseSandbox(bwrapSandbox(), unconfinedSandbox())).sandbox.name).toBe('bwrap')
})
