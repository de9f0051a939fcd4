import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fault } from '../../domain/fault.ts'
import { missingFromLockfile, readLockfile } from './lockfile.ts'

function workspacesOf(text: string): readonly string[] {
  try {
    return readLockfile(text, 'package-lock.json').workspaces
  } catch (error) {
    if (error instanceof Fault) return []
    throw error
  }
}

test('reading a lockfile gives folders inside of the repository, or a Fault, whatever the text', () => {
  const path = fc.oneof(
    fc.string(),
    fc.constantFrom('', 'node_modules/a', '../x', '/etc', 'packages/a', 'a/../../b', 'a/node_modules/b', 'C:\\x'),
  )
  const entry = fc.record(
    {
      resolved: fc.oneof(path, fc.constantFrom('https://example.com/a.tgz', 'git+ssh://x', 'file:../a')),
      link: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  const lock = fc
    .record({ lockfileVersion: fc.constantFrom(1, 2, 3), packages: fc.dictionary(path, entry) })
    .map((one) => JSON.stringify(one))
  fc.assert(
    fc.property(fc.oneof(lock, fc.json(), fc.string()), (text) => {
      for (const workspace of workspacesOf(text)) {
        const depths = workspace.split('/').reduce((depth, part) => (part === '..' ? depth - 1 : depth + 1), 0)
        expect(workspace.startsWith('/') || depths < 0).toBe(false)
      }
    }),
    { numRuns: 500 },
  )
})

test('a lockfile fits the package.json it was written for, and no other', () => {
  const range = fc.constantFrom('1', '^2.0.0', '*')
  const some = fc.dictionary(fc.constantFrom('a', 'b', '@s/c'), range)
  const manifest = fc.record({ dependencies: some, devDependencies: some }, { requiredKeys: [] })
  fc.assert(
    fc.property(manifest, (one) => {
      const lock = JSON.stringify({ lockfileVersion: 3, packages: { '': one } })
      expect(missingFromLockfile(JSON.stringify(one), lock, '')).toEqual([])
      const more = JSON.stringify({ ...one, dependencies: { ...one.dependencies, new: '1' } })
      expect(missingFromLockfile(more, lock, '')).toEqual(['new@1'])
    }),
  )
  expect(missingFromLockfile('[', '{}', '')).toBeUndefined()
})
