import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeChange, judgedChange, said, someBrief, type Change } from '../../../test/gate-bench.ts'
import type { Brief } from '../../domain/brief.ts'
import { scope } from './gate.ts'
import { packageOf } from './imports.ts'
import { staysInside, targetIn } from './links.ts'
import { readLockedNames, readManifest } from './packages.ts'
import { pathBreaches } from './paths.ts'

const forbid = (name: string): Brief['never'] => [{ kind: 'dependency', name, text: `no ${name}`, line: 1 }]
const judge = (tree: Change['tree'], brief: Partial<Brief> = {}, base: Change['base'] = {}) =>
  judgeChange(scope, { base, tree: { ...base, ...tree }, brief: someBrief(brief) }).then(said)

describe('changed paths', () => {
  const cases: Record<string, [tree: Change['tree'], brief: Partial<Brief>, findings: string[]]> = {
    'with no scope anything may change': [{ 'a/b.ts': '' }, {}, ['passed']],
    'inside of the scope pass': [{ 'src/a.ts': '' }, { scope: ['src/**'] }, ['passed']],
    'hidden ones are matched as well': [{ 'src/.x/a.ts': '' }, { scope: ['src/**'] }, ['passed']],
    'outside of the scope are found': [{ 'lib/a.ts': '' }, { scope: ['src/**', 'a.md'] }, ['out-of-scope lib/a.ts']],
    'that the brief forbids are found': [
      { 'src/db/a.ts': '' },
      { scope: ['src/**'], never: [{ kind: 'path', glob: 'src/db/**', text: 'not the database', line: 1 }] },
      ['forbidden-path src/db/a.ts'],
    ],
    'that Gaffer writes itself pass': [{ 'PLAN.md': '', 'CHANGELOG.md': '' }, { scope: ['src/**'] }, ['passed']],
    'a symlink in their place is found': [
      { 'CHANGELOG.md': { link: 'src/a.ts' } },
      { scope: ['src/**'] },
      ['out-of-scope CHANGELOG.md'],
    ],
    'a changelog elsewhere is like any file': [
      { 'a/CHANGELOG.md': '' },
      { scope: ['src/**'] },
      ['out-of-scope a/CHANGELOG.md'],
    ],
    'that govern agents are found whatever the scope': [
      { '.gaffer/gaffer.yaml': '', '.Gaffer/policy.cedar': '' },
      { scope: ['**', '.gaffer/**', '.gaffer/gaffer.yaml'] },
      ['governed-path .Gaffer/policy.cedar', 'governed-path .gaffer/gaffer.yaml'],
    ],
    'that control the repository are found': [
      {
        CODEOWNERS: '',
        'docs/CODEOWNERS': '',
        '.gitattributes': '',
        'a/.gitignore': '',
        '.github/workflows/x.yml': '',
      },
      { scope: ['**'] },
      [
        'control-file .gitattributes',
        'control-file .github/workflows/x.yml',
        'control-file CODEOWNERS',
        'control-file a/.gitignore',
        'control-file docs/CODEOWNERS',
      ],
    ],
    'that control the repository pass where the scope names them': [
      { CODEOWNERS: '', '.github/workflows/x.yml': '' },
      { scope: ['CODEOWNERS', '.github/**'] },
      ['passed'],
    ],
    'a submodule is found': [{ 'src/x': { submodule: 'a' } }, { scope: ['src/**'] }, ['submodule src/x']],
    'a symlink that leaves is found': [
      { 'src/x': { link: '../../etc/passwd' }, 'src/y': { link: '/etc/passwd' }, 'src/z': { link: '../a.ts' } },
      {},
      ['symlink-leaves src/x', 'symlink-leaves src/y'],
    ],
  }
  for (const [name, [tree, brief, findings]] of Object.entries(cases))
    test(`${name}`, async () => expect(await judge(tree, brief)).toEqual(findings))

  test('deleting outside of the scope is found', async () => {
    const verdict = await judgeChange(scope, {
      base: { 'a.ts': '' },
      tree: {},
      brief: someBrief({ scope: ['src/**'] }),
    })
    expect(said(verdict)).toEqual(['out-of-scope'])
  })

  test('problems of the workspace are findings, with and without a brief', async () => {
    const problems = [{ kind: 'nested-repository', path: 'x', detail: 'has a .git of its own' }] as const
    expect(said(await judgeChange(scope, { problems, brief: someBrief() }))).toEqual(['nested-repository'])
    expect(said(await judgeChange(scope, { problems, brief: null }))).toEqual(['nested-repository'])
  })

  test('without a brief there is nothing to hold the change against', async () => {
    expect(said(await judgeChange(scope, { base: {}, tree: { 'a.ts': '' }, brief: null }))).toEqual(['not-applicable'])
  })

  test('no path under .gaffer/ ever passes', () => {
    const segment = fc.stringMatching(/^[a-z.*]{1,8}$/)
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `.gaffer/${parts.join('/')}`)
    fc.assert(
      fc.property(path, fc.array(path), (changed, globs) => {
        const change = { path: changed, kind: 'added', before: null, after: { mode: '100644', sha: '0' } } as const
        expect(pathBreaches([change], { scope: [...globs, '**'], never: [] })).toMatchObject([
          { rule: 'governed-path' },
        ])
      }),
    )
  })
})

const manifest = (more: Record<string, unknown>) => JSON.stringify({ name: 'app', ...more })
const lock = (...names: string[]) =>
  JSON.stringify({
    lockfileVersion: 3,
    packages: Object.fromEntries(['', ...names.map((name) => `node_modules/${name}`)].map((at) => [at, {}])),
  })

describe('dependencies', () => {
  const base = {
    'package.json': manifest({ dependencies: { old: '1' } }),
    'package-lock.json': lock('old'),
    'src/a.ts': `import 'old'`,
  }
  const with_ = (kind: string, name: string, range = '1') => ({
    'package.json': manifest({
      dependencies: { old: '1' },
      [kind]: { ...(kind === 'dependencies' ? { old: '1' } : {}), [name]: range },
    }),
  })
  const cases: Record<string, [tree: Change['tree'], never: Brief['never'], findings: string[]]> = {
    'a forbidden one is found': [
      with_('dependencies', 'lodash'),
      forbid('lodash'),
      ['forbidden-dependency package.json'],
    ],
    'a forbidden one for development is found': [
      with_('devDependencies', 'lodash'),
      forbid('lodash'),
      ['forbidden-dependency package.json'],
    ],
    'a forbidden peer is found': [
      with_('peerDependencies', 'lodash'),
      forbid('lodash'),
      ['forbidden-dependency package.json'],
    ],
    'an optional one is found': [
      with_('optionalDependencies', 'lodash'),
      forbid('*'),
      ['forbidden-dependency package.json'],
    ],
    'one behind an alias is found': [
      with_('dependencies', 'tools', 'npm:lodash@4'),
      forbid('lodash'),
      ['forbidden-dependency package.json'],
    ],
    'one behind an override is found': [
      with_('overrides', 'old', 'npm:lodash@4'),
      forbid('lodash'),
      ['forbidden-dependency package.json'],
    ],
    'another one passes': [with_('dependencies', 'zod'), forbid('lodash'), ['passed']],
    'any new one is found where none may come': [
      with_('dependencies', 'zod'),
      forbid('*'),
      ['forbidden-dependency package.json'],
    ],
    'a scoped one is found by a glob': [
      with_('dependencies', '@evil/x'),
      forbid('@evil/*'),
      ['forbidden-dependency package.json'],
    ],
    'one of a workspace is found': [
      { 'packages/a/package.json': manifest({ dependencies: { lodash: '4' } }) },
      forbid('lodash'),
      ['forbidden-dependency packages/a/package.json'],
    ],
    'one that comes in with another is found in the lockfile': [
      { ...with_('dependencies', 'zod'), 'package-lock.json': lock('old', 'zod', 'lodash') },
      forbid('lodash'),
      ['forbidden-dependency package-lock.json'],
    ],
    'a lockfile that changed alone is found': [
      { 'package-lock.json': lock('old', 'x') },
      [],
      ['lockfile-without-manifest package-lock.json'],
    ],
    'a package.json that is no JSON is found': [{ 'package.json': '{' }, [], ['unreadable-dependencies package.json']],
    'an import that nobody declares is found': [
      { 'src/a.ts': `import x from 'lodash/fp'` },
      forbid('lodash'),
      ['undeclared-import src/a.ts'],
    ],
    'a require that nobody declares is found': [
      { 'src/b.js': `const x = require('lodash')` },
      forbid('*'),
      ['undeclared-import src/b.js'],
    ],
    'a dynamic import is found': [
      { 'src/b.mts': `await import('lodash')` },
      forbid('*'),
      ['undeclared-import src/b.mts'],
    ],
    'a re-export is found': [{ 'src/b.ts': `export { x } from 'lodash'` }, forbid('*'), ['undeclared-import src/b.ts']],
    'imports of what is there pass': [
      {
        'src/b.ts': `import 'old/x'; import './a.js'; import 'node:fs'; import fs from 'fs/promises'; import '#x'; import 'app'; import 'src/a.js'`,
      },
      forbid('*'),
      ['passed'],
    ],
  }
  for (const [name, [tree, never, findings]] of Object.entries(cases))
    test(`${name}`, async () => expect(await judge(tree, { never }, base)).toEqual(findings))
})

describe('what the cache key is made of', () => {
  const readsOf = async (change: Change) => scope.reads(await judgedChange(scope, change))
  const change: Change = { base: {}, tree: { 'a.ts': '1' }, brief: someBrief() }
  test('changes with the change, the brief and the problems', async () => {
    const keys = await Promise.all([
      readsOf(change),
      readsOf({ ...change, tree: { 'a.ts': '2' } }),
      readsOf({ ...change, brief: someBrief({ scope: ['x'] }) }),
      readsOf({ ...change, brief: null }),
      readsOf({ ...change, problems: [{ kind: 'special-file', path: 'x', detail: 'a pipe' }] }),
    ])
    expect(new Set(keys.map((key) => JSON.stringify(key))).size).toBe(5)
    expect(await readsOf(change)).toEqual(keys[0])
  })
})

test('reading manifests, lockfiles and specifiers never throws, whatever the text', () => {
  const anyJson = fc.oneof(fc.string(), fc.json())
  fc.assert(
    fc.property(
      anyJson,
      fc.constantFrom('package-lock.json', 'yarn.lock', 'pnpm-lock.yaml', 'bun.lock', 'bun.lockb'),
      (text, name) => {
        expect(() => [readManifest(text), readLockedNames(name, text), packageOf(text)]).not.toThrow()
      },
    ),
  )
})

test('lockfiles of other package managers are read', () => {
  expect(readLockedNames('yarn.lock', '"@a/b@npm:^1", "@a/b@^2":\n  version "1"\n\nc@^3:\n')).toEqual(
    new Set(['@a/b', 'c']),
  )
  expect(readLockedNames('pnpm-lock.yaml', "packages:\n\n  '@a/b@1.0.0':\n    x: y\n  c@2.0.0(d@1.0.0):\n")).toEqual(
    new Set(['@a/b', 'c']),
  )
})

test('a link stays inside of the repository exactly when its path does', () => {
  const segment = fc.constantFrom('a', 'b', '..', '.', '')
  const path = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
  fc.assert(
    fc.property(path, fc.array(segment, { minLength: 1 }), (at, parts) => {
      const target = parts.join('/')
      const way = target.startsWith('/') ? null : [...at.split('/').slice(0, -1), ...parts]
      // Steps from a marked folder, far from the root: the mark goes when a step leaves it.
      const walked = (way ?? ['..']).reduce<string[]>(
        (above, part) => (part === '..' ? above.slice(0, -1) : part === '' || part === '.' ? above : [...above, part]),
        ['root'],
      )
      expect(staysInside(at, target)).toBe(way !== null && walked[0] === 'root')
    }),
  )
  expect(staysInside('a/b', '../../c')).toBe(false)
  expect(staysInside('a/b', '../c')).toBe(true)
  expect(staysInside('a/b', 'x/../../../c/a')).toBe(false)
})

test('the target of a link is read from its diff', () => {
  const head = 'diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n'
  expect(targetIn(`${head}@@ -0,0 +1 @@\n+../y\n\\ No newline at end of file\n`)).toBe('../y')
  expect(targetIn(`${head}@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+++b\n`)).toBe('++b')
  expect(targetIn('Binary files differ')).toBeUndefined()
})
