import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeChange, judgedChange, said, someBrief, type Change } from '../../../test/gate-bench.ts'
import type { Brief } from '../../domain/brief.ts'
import { scope } from './gate.ts'
import { settingsSchema } from '../../domain/settings.ts'
import { onlyAdds } from './changelog.ts'
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
    'that Gaffer writes itself beside a checkpoint pass': [{ 'PLAN.md': '' }, { scope: ['src/**'] }, ['passed']],
    'of the changelog are found at a checkpoint': [
      { 'CHANGELOG.md': '' },
      { scope: ['src/**'] },
      ['out-of-scope CHANGELOG.md'],
    ],
    'of the changelog that the brief forbids are found': [
      { 'CHANGELOG.md': '' },
      { never: [{ kind: 'path', glob: '*.md', text: 'no notes', line: 1 }] },
      ['forbidden-path CHANGELOG.md'],
    ],
    'of the changelog pass where they are in scope': [{ 'CHANGELOG.md': '' }, { scope: ['*.md'] }, ['passed']],
    'that decide how scripts run are found': [
      { '.npmrc': '', 'a/.npmrc': '', 'b/.yarnrc.yml': '' },
      { scope: ['**', '*/.npmrc'] },
      ['tool-settings .npmrc', 'tool-settings a/.npmrc', 'tool-settings b/.yarnrc.yml'],
    ],
    'that decide how scripts run pass where the scope names them': [
      { '.npmrc': '' },
      { scope: ['.npmrc'] },
      ['passed'],
    ],
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
        expect(pathBreaches([change], { scope: [...globs, '**'], never: [] }, 'final')).toMatchObject([
          { rule: 'governed-path' },
        ])
      }),
    )
  })
})

describe('the changelog at the end of a task', () => {
  const base = { 'CHANGELOG.md': '# Changelog\n\n- one (a-1)\n- two (b-2)' }
  const final = (
    after: NonNullable<Change['tree']>,
    brief: Partial<Brief> = { scope: ['src/**'] },
    before: NonNullable<Change['base']> = base,
  ) => judgeChange(scope, { base: before, tree: after, brief: someBrief(brief), level: 'final' }).then(said)

  const cases: Record<string, [text: string | null, findings: string[]]> = {
    'may have more lines': ['# Changelog\n\n## New\n- one (a-1)\n- two (b-2)\n- three (c-3)\n', ['passed']],
    'may not be gone': [null, ['changelog-rewritten']],
    'may not be empty': ['', ['changelog-rewritten CHANGELOG.md']],
    'may not lack a line': ['# Changelog\n\n- two (b-2)\n', ['changelog-rewritten CHANGELOG.md']],
    'may not have a line changed': ['# Changelog\n\n- One (a-1)\n- two (b-2)\n', ['changelog-rewritten CHANGELOG.md']],
    'may not have its lines in another order': [
      '# Changelog\n\n- two (b-2)\n- one (a-1)\n',
      ['changelog-rewritten CHANGELOG.md'],
    ],
  }
  for (const [name, [text, findings]] of Object.entries(cases))
    test(`${name}`, async () => expect(await final(text === null ? {} : { 'CHANGELOG.md': text })).toEqual(findings))

  test('may be new, or begun anew where it was blank', async () => {
    expect(await final({ 'CHANGELOG.md': '# Changelog\n' }, { scope: ['src/**'] }, {})).toEqual(['passed'])
    expect(await final({ 'CHANGELOG.md': '# Changelog\n' }, {}, { 'CHANGELOG.md': '\n\n' })).toEqual(['passed'])
  })
  test('may be rewritten only where the scope names it', async () => {
    const after = { 'CHANGELOG.md': '# Changes\n' }
    expect(await final(after, { scope: [] })).toEqual(['changelog-rewritten CHANGELOG.md'])
    expect(await final(after, { scope: ['*.md'] })).toEqual(['changelog-rewritten CHANGELOG.md'])
    expect(await final(after, { scope: ['CHANGELOG.md'] })).toEqual(['passed'])
  })
  test('only adds exactly when the lines of the base can be had by taking lines away', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', ' c'), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(lines, fc.array(fc.tuple(fc.nat(6), fc.constantFrom('a', 'x'))), (before, added) => {
        const after = added.reduce<readonly string[]>((all, [at, line]) => all.toSpliced(at, 0, line), before)
        expect(onlyAdds(before.join('\n'), `${after.join('\n')}\n`)).toBe(true)
        expect(onlyAdds(`${before.join('\n')}\ny`, after.join('\n'))).toBe(false)
      }),
    )
  })
})

describe('scripts of package.json that gates call', () => {
  const scripts = { test: 'npm run unit', unit: 'vitest run', lint: 'oxlint', 'types:a': 'tsc', dev: 'vite' }
  const withScripts = (more: Record<string, string | undefined>) => ({
    'package.json': JSON.stringify({ name: 'app', scripts: { ...scripts, ...more } }),
  })
  const found = async (run: string, after: Record<string, string | undefined>, more: Partial<Change> = {}) =>
    said(
      await judgeChange(scope, {
        base: withScripts({}),
        tree: withScripts(after),
        brief: someBrief({ scope: ['package.json'] }),
        settings: settingsSchema.pick({ gates: true }).parse({ gates: { x: { gate: 'command', run } } }),
        ...more,
      }),
    )
  const changed = ['scripts-changed package.json']
  test.each([
    ['npm test', { test: 'true' }],
    ['npm t', { test: 'true' }],
    ['CI=1 npm --silent test -- --x', { test: 'true' }],
    ['cd a && npm run lint', { lint: 'true' }],
    ['npm run-script lint', { lint: undefined }],
    ['yarn lint', { lint: 'true' }],
    ['pnpm run lint', { lint: 'true' }],
    ['sh -c "npm run lint"', { lint: 'true' }],
    ['node --run lint', { lint: 'true' }],
    ['node --run=lint', { lint: 'true' }],
    ['npx run-s types:*', { 'types:a': 'true' }],
    ['npm test', { unit: 'true' }],
    ['npm test', { pretest: 'exit 0' }],
    ['npm test', { postunit: 'exit 0' }],
  ])('%j finds %j', async (run, after) => expect(await found(run, after)).toEqual(changed))

  test.each([
    ['npm test', { dev: 'vite --open', lint: 'true' }],
    ['vitest run', { test: 'true', unit: 'true' }],
    ['npm run lint; echo test', { test: 'true' }],
  ])('%j lets %j pass', async (run, after) => expect(await found(run, after)).toEqual(['passed']))

  test('are found in any package, in a package.json that is gone or broken, and not in a new one', async () => {
    const inner = (body: string) => ({ 'a/package.json': JSON.stringify({ scripts: { unit: body } }) })
    const open = { brief: someBrief() }
    const root = withScripts({})
    expect(
      await found('npm test -ws', {}, { ...open, base: { ...root, ...inner('x') }, tree: { ...root, ...inner('y') } }),
    ).toEqual(['scripts-changed a/package.json'])
    expect(await found('npm test', {}, { ...open, base: root, tree: { ...root, ...inner('y') } })).toEqual(['passed'])
    expect(await found('npm test', {}, { ...open, base: {} })).toEqual(['passed'])
    expect(await found('npm run lint', {}, { ...open, tree: {} })).toEqual(['scripts-changed'])
    expect(await found('npm run lint', {}, { ...open, tree: { 'package.json': '{' } })).toContain(changed[0])
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
  test('changes with the change, the brief, the problems, the level and the commands of gates', async () => {
    const keys = await Promise.all([
      readsOf(change),
      readsOf({ ...change, tree: { 'a.ts': '2' } }),
      readsOf({ ...change, brief: someBrief({ scope: ['x'] }) }),
      readsOf({ ...change, brief: null }),
      readsOf({ ...change, problems: [{ kind: 'special-file', path: 'x', detail: 'a pipe' }] }),
      readsOf({ ...change, level: 'final' }),
      readsOf({
        ...change,
        settings: settingsSchema.pick({ gates: true }).parse({ gates: { x: { run: 'npm test' } } }),
      }),
      readsOf({ ...change, base: { 'package.json': '1' }, tree: { 'a.ts': '1' } }),
    ])
    expect(new Set(keys.map((key) => JSON.stringify(key))).size).toBe(8)
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
