import { access, chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRegistry, type PackageRegistry } from '../fakes/package-registry.ts'
import { makeRepository, temporaryFolder, type Files } from '../repositories.ts'
import { settingsSchema } from '../../src/domain/settings.ts'
import type { Sandbox } from '../../src/ports/sandbox.ts'
import { bwrapSandbox } from '../../src/adapters/bwrap/bwrap-sandbox.ts'
import { createRepositories } from '../../src/adapters/git/repositories.ts'
import { unconfinedSandbox } from '../../src/adapters/unconfined/unconfined-sandbox.ts'
import { cleanRooms } from '../../src/adapters/clean-room/clean-rooms.ts'
import { dependencyCache } from '../../src/adapters/clean-room/dependencies.ts'

const protection = await bwrapSandbox().protects()
const sandboxes = [
  { name: 'bubblewrap', sandbox: bwrapSandbox(), missing: protection.kind === 'confined' ? null : protection.why },
  { name: 'no sandbox', sandbox: unconfinedSandbox(), missing: null },
]
const gates = { check: { gate: 'command', run: 'true' } }
const settingsOf = (more: object = {}) => settingsSchema.parse({ version: 1, gates, ...more })
const withNpm = { dependencies: { installer: 'npm' } }

/** A repository of these files on real git, clean rooms beside it, and the registry they install from. */
async function site(files: Files, { sandbox, registry }: { sandbox: Sandbox; registry?: PackageRegistry }) {
  const place = await temporaryFolder()
  const team = await makeRepository({ folder: join(place.path, 'team'), files })
  const repositories = createRepositories({ folder: join(place.path, 'stores') })
  const repository = await repositories.open(team.folder)
  const folder = join(place.path, 'rooms')
  const cache = join(place.path, 'cache')
  const environment = {
    PATH: process.env['PATH'],
    npm_config_registry: registry?.url ?? 'http://127.0.0.1:1',
    npm_config_userconfig: join(place.path, 'no-npmrc'),
  }
  const newCache = () => dependencyCache({ folder: cache, sandbox, environment })
  const dependencies = newCache()
  const rooms = cleanRooms({ folder, sandbox, dependencies })
  const treeOf = async (revision = 'HEAD') => {
    await repository.fetch()
    const commit = await team.head(revision)
    if (commit === undefined) throw new Error(`there is no ${revision}`)
    return repository.treeOf(commit)
  }
  return {
    place: place.path,
    team,
    repository,
    cache,
    folder,
    dependencies,
    newCache,
    treeOf,
    open: async (more: object = {}) => rooms.open({ repository, tree: await treeOf(), settings: settingsOf(more) }),
    async [Symbol.asyncDispose]() {
      await repository.close()
      await place.remove()
    },
  }
}

const left = {
  files: { 'index.js': 'module.exports = 7', 'cli.js': '#!/usr/bin/env node\nconsole.log("left")' },
  manifest: { bin: { left: 'cli.js' } },
}
const root = { name: 'app', version: '1.0.0', dependencies: { left: '1.0.0' } }
const project = (registry: PackageRegistry, more: Files = {}): Files => ({
  'package.json': JSON.stringify(root),
  'package-lock.json': registry.lockfile(root),
  ...more,
})

for (const { name, sandbox, missing } of sandboxes)
  describe.skipIf(missing !== null)(`a clean room in ${name}${missing === null ? '' : ` (${missing})`}`, () => {
    test('holds exactly the tree, and runs commands in it', async () => {
      await using here = await site({ 'a.txt': 'one', 'x/run': { executable: '#!/bin/sh\necho ran' } }, { sandbox })
      const open = await here.open()
      const room = await open.room()
      expect(await readdir(room.folder)).toEqual(['a.txt', 'x'])
      expect(await room.run('cat a.txt && x/run && exit 3')).toMatchObject({ exitCode: 3, stdout: 'oneran\n' })
      await open.close()
      expect(await readdir(here.folder)).toEqual([])
      await open.close()
    })

    test('gives commands an environment of its own', async () => {
      await using here = await site({ a: '' }, { sandbox })
      const room = await (await here.open()).room()
      const { stdout } = await room.run(
        'env; ls "$HOME"; echo hi > "$HOME/x"; node --version; echo r > "$GAFFER_REPORTS/r"',
      )
      expect(stdout).toContain('CI=true\n')
      expect(stdout).toContain(`GAFFER_REPORTS=${room.reports}\n`)
      expect(stdout).toContain(process.version)
      expect(stdout).not.toContain('VITEST')
      expect(stdout).toContain('/home\n')
      expect(await readFile(join(room.reports, 'r'), 'utf8')).toBe('r\n')
    })

    test('of one gate is not that of another', async () => {
      await using here = await site({ 'a.txt': 'one' }, { sandbox })
      const open = await here.open()
      const [one, other] = [await open.room(), await open.room()]
      await one.run('echo changed > a.txt; echo report > "$GAFFER_REPORTS/x"')
      expect(await readFile(join(other.folder, 'a.txt'), 'utf8')).toBe('one')
      expect(await readdir(other.reports)).toEqual([])
      await open.close()
    })

    test('lets tests open a server on this machine', async () => {
      await using here = await site({ a: '' }, { sandbox })
      const room = await (await here.open()).room()
      const script = `const s = require('http').createServer((_, r) => r.end('served')); s.listen(0, '127.0.0.1', async () => { console.log(await (await fetch('http://127.0.0.1:' + s.address().port)).text()); s.close(); process.exit() })`
      expect(await room.run(`node -e "${script}"`)).toMatchObject({ exitCode: 0, stdout: 'served\n' })
    })

    test('ends a command at its limits', async () => {
      await using here = await site({ a: '' }, { sandbox })
      const room = await (await here.open({ limits: { outputMb: 0.01 } })).room()
      await expect(room.run('exec sleep 600', { timeoutMs: 200 })).rejects.toMatchObject({ code: 'command-timeout' })
      await expect(room.run('seq 1 1000000')).rejects.toMatchObject({ code: 'output-limit' })
    })

    test('is removed whatever is left in it', async () => {
      await using here = await site({ a: '' }, { sandbox })
      const open = await here.open()
      await (await open.room()).run('mkdir -p locked/in; touch locked/in/x; chmod 000 locked/in locked')
      await open.close()
      expect(await readdir(here.folder)).toEqual([])
    })

    test('has the dependencies of the lockfile, installed once and not to be changed', async () => {
      await using registry = await packageRegistry({
        left,
        '@scope/right': { files: { 'index.js': 'module.exports = 8' } },
      })
      const own = { ...root, dependencies: { left: '1.0.0', '@scope/right': '1.0.0' } }
      const files = { 'package.json': JSON.stringify(own), 'package-lock.json': registry.lockfile(own) }
      await using here = await site(files, { sandbox, registry })
      const line = `node -p "require('left') + require('@scope/right')" && node_modules/.bin/left && mkdir node_modules/.cache`
      const first = await here.open(withNpm)
      expect(await (await first.room()).run(line)).toMatchObject({ exitCode: 0, stdout: '15\nleft\n' })
      const asked = registry.asked.length
      expect(asked).toBeGreaterThan(0)
      await first.close()

      const second = await here.open(withNpm)
      const room = await second.room()
      expect(await room.run(line)).toMatchObject({ exitCode: 0 })
      expect(registry.asked).toHaveLength(asked)
      // Without a sandbox nobody can keep root from writing.
      const { exitCode } = await room.run('echo x >> node_modules/left/index.js || rm -r node_modules/left/')
      expect(exitCode !== 0 || sandbox.name === 'none').toBe(true)
      await second.close()
    })

    test('runs no script of a package, and reads no .npmrc of the tree', async () => {
      const scripts = { install: 'echo ran > /tmp/gaffer-was-here; touch installed', postinstall: 'touch installed' }
      await using registry = await packageRegistry({ left: { ...left, manifest: { ...left.manifest, scripts } } })
      const more = { '.npmrc': 'registry=http://127.0.0.1:1/\nignore-scripts=false\n' }
      await using here = await site(project(registry, more), { sandbox, registry })
      const room = await (await here.open(withNpm)).room()
      expect(await room.run('ls node_modules/left/')).toMatchObject({
        exitCode: 0,
        stdout: 'cli.js\nindex.js\npackage.json\n',
      })
    })

    test('has the programs of its packages on the PATH, and none in the place of one of the machine', async () => {
      const fake = '#!/bin/sh\necho fake'
      const evil = { files: { 'fake.sh': fake }, manifest: { bin: { sh: 'fake.sh', node: 'fake.sh', npm: 'fake.sh' } } }
      await using registry = await packageRegistry({ left, evil })
      const own = { ...root, dependencies: { left: '1.0.0', evil: '1.0.0' } }
      const files = { 'package.json': JSON.stringify(own), 'package-lock.json': registry.lockfile(own) }
      await using here = await site(files, { sandbox, registry })
      const room = await (await here.open(withNpm)).room()
      expect(await room.run('left && ls node_modules/.bin')).toMatchObject({
        exitCode: 0,
        stdout: 'left\nleft\nnode\nnpm\nsh\n',
      })
      expect(await room.run('node --version; sh -c "echo real"; npm --version')).toMatchObject({
        stdout: expect.not.stringContaining('fake'),
      })
    })

    test('puts nothing on the PATH that the change brought along', async () => {
      const files = { 'node_modules/.bin/left': { executable: '#!/bin/sh\necho fake' } }
      await using here = await site(files, { sandbox })
      expect(await (await (await here.open()).room()).run('left')).toMatchObject({ exitCode: 127 })
    })

    test('takes nothing that would turn a failing script into a passing one from an .npmrc of the tree', async () => {
      const settings = [
        'script-shell=/usr/bin/true',
        'if-present=true',
        'ignore-scripts=true',
        'usage=true',
        'script-shell=/bin/true',
      ]
      const scripts = { lint: 'exit 3', pretest: 'exit 4', test: 'true' }
      for (const line of settings) {
        const files = { '.npmrc': `${line}\n`, 'package.json': JSON.stringify({ name: 'app', scripts }) }
        await using here = await site(files, { sandbox })
        const room = await (await here.open()).room()
        expect([line, (await room.run('npm run lint')).exitCode]).toEqual([line, 3])
        expect([line, (await room.run('npm test')).exitCode]).toEqual([line, 4])
        expect([line, (await room.run('npm run gone')).exitCode]).toEqual([line, 1])
      }
    })

    test('has the workspaces of the repository as they are in the tree', async () => {
      await using registry = await packageRegistry({ left })
      const own = { name: 'app', version: '1.0.0', workspaces: ['packages/*'] }
      const inner = { name: 'inner', version: '1.0.0', dependencies: { left: '1.0.0' } }
      const files = {
        'package.json': JSON.stringify(own),
        'package-lock.json': registry.lockfile(own, { 'packages/inner': inner }),
        'packages/inner/package.json': JSON.stringify(inner),
        'packages/inner/index.js': `module.exports = 'inner ' + require('left')`,
      }
      await using here = await site(files, { sandbox, registry })
      const room = await (await here.open(withNpm)).room()
      expect(await room.run(`node -p "require('inner')"`)).toMatchObject({ exitCode: 0, stdout: 'inner 7\n' })
    })
  })

test.skipIf(protection.kind !== 'confined')('a room in bubblewrap has no network and sees no other files', async () => {
  await using here = await site({ a: '' }, { sandbox: bwrapSandbox() })
  const server = createServer((_, response) => response.end('out'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const room = await (await here.open()).room()
  const tried = await room.run(
    `node -e "fetch('http://127.0.0.1:${port}').then(() => process.exit(0), () => process.exit(9))"`,
  )
  expect(tried.exitCode).toBe(9)
  expect((await room.run(`cat '${join(here.team.folder, 'a')}'`)).exitCode).not.toBe(0)
  await new Promise((resolve) => server.close(resolve))
})

describe('dependencies', () => {
  const sandbox = unconfinedSandbox()

  test('are installed once by two who want them at the same time, in one process or several', async () => {
    await using registry = await packageRegistry({ left })
    await using here = await site(project(registry), { sandbox, registry })
    const tree = await here.treeOf()
    const caches = [here.dependencies, here.dependencies, here.newCache()]
    const folders = await Promise.all(
      caches.map(async (cache, index) => {
        const folder = join(here.place, `w${index}`)
        await mkdir(folder)
        await cache.provide({ repository: here.repository, tree, settings: settingsOf(withNpm), folder })
        return folder
      }),
    )
    for (const folder of folders) await access(join(folder, 'node_modules/left/index.js'))
    const kept = (await readdir(here.cache)).filter((name) => name !== 'npm')
    expect(kept).toHaveLength(1)
    expect(kept[0]).toMatch(/^npm-[0-9a-f]{64}$/)
  })

  test('of a workspace follow its lockfile', async () => {
    await using registry = await packageRegistry({ left })
    await using here = await site({ ...project(registry), 'package.json': JSON.stringify(root) }, { sandbox, registry })
    const folder = join(here.place, 'workspace')
    await mkdir(folder)
    const provide = async () =>
      here.dependencies.provide({
        repository: here.repository,
        tree: await here.treeOf(),
        settings: settingsOf(withNpm),
        folder,
      })
    const first = await provide()
    expect(await provide()).toEqual(first)
    await here.team.commit({ 'package.json': JSON.stringify({ ...root, description: 'changed' }) })
    expect(await provide()).not.toEqual(first)
    await access(join(folder, 'node_modules/left/index.js'))
  })

  test('of a workspace whose lockfile is spoilt are those of the tree it began from', async () => {
    await using registry = await packageRegistry({ left })
    await using here = await site(project(registry), { sandbox, registry })
    const folder = join(here.place, 'workspace')
    await mkdir(folder)
    const otherwise = await here.treeOf()
    await here.team.commit({ 'package.json': JSON.stringify({ ...root, dependencies: { more: '1.0.0' } }) })
    const request = { repository: here.repository, tree: await here.treeOf(), settings: settingsOf(withNpm), folder }
    await expect(here.dependencies.provide(request)).rejects.toMatchObject({ code: 'dependencies-unavailable' })
    await here.dependencies.provide({ ...request, otherwise })
    await access(join(folder, 'node_modules/left/index.js'))
  })

  const unavailable: Record<string, [change: (registry: PackageRegistry) => Files, message: RegExp]> = {
    'a missing lockfile': [() => ({ 'package-lock.json': null }), /no package-lock\.json/],
    'a missing package.json': [() => ({ 'package.json': null }), /no package\.json/],
    'a lockfile that does not fit': [
      () => ({ 'package.json': JSON.stringify({ ...root, dependencies: { left: '1.0.0', more: '1.0.0' } }) }),
      /does not fit/,
    ],
    'a lockfile that is none': [() => ({ 'package-lock.json': '{}' }), /not a lockfile/],
    'a package of git': [
      (registry) => ({
        'package-lock.json': registry
          .lockfile(root)
          .replace('"integrity"', '"resolved":"git+ssh://git@example.com/x.git#1","integrity"'),
      }),
      /takes node_modules\/left from git/,
    ],
    'a package of a file': [
      (registry) => ({
        'package-lock.json': registry
          .lockfile(root)
          .replace('"integrity"', '"resolved":"file:/etc/passwd","integrity"'),
      }),
      /from file:/,
    ],
    'a package outside of the repository': [
      (registry) => ({
        'package-lock.json': registry.lockfile(root).replace('node_modules/left', '../node_modules/left'),
      }),
      /outside of the repository/,
    ],
    'a package with other bytes': [
      (registry) => ({ 'package-lock.json': registry.lockfile(root).replace(/sha512-.{10}/, 'sha512-AAAAAAAAAA') }),
      /npm ci failed/,
    ],
    'the mark of an install in the tree': [() => ({ 'node_modules/.gaffer-install': '' }), /is there already/],
    'node_modules in the tree': [() => ({ 'node_modules/evil/index.js': '' }), /is there already/],
  }
  for (const [what, [change, message]] of Object.entries(unavailable))
    test(`are unavailable with ${what}`, async () => {
      await using registry = await packageRegistry({ left })
      await using here = await site(project(registry), { sandbox, registry })
      await here.team.commit(change(registry))
      const open = await here.open(withNpm)
      await expect(open.room()).rejects.toMatchObject({
        code: 'dependencies-unavailable',
        message: expect.stringMatching(message),
      })
      await open.close()
    })

  test('are unavailable, and may be had later, when the registry is away', async () => {
    const registry = await packageRegistry({ left })
    await using here = await site(project(registry), { sandbox, registry })
    await registry[Symbol.asyncDispose]()
    const open = await here.open(withNpm)
    await expect(open.room()).rejects.toMatchObject({ code: 'dependencies-unavailable', retryable: true })
    expect((await readdir(here.cache)).filter((name) => name !== 'npm')).toEqual([])
  })

  test('never go where an agent has put a symlink, nor over what is not ours', async () => {
    await using registry = await packageRegistry({ left })
    const own = { name: 'app', version: '1.0.0', workspaces: ['packages/*'] }
    const inner = { name: 'inner', version: '1.0.0', dependencies: { left: '1.0.0' } }
    const files = {
      'package.json': JSON.stringify(own),
      'package-lock.json': registry.lockfile(own, { 'packages/inner': inner }),
      'packages/inner/package.json': JSON.stringify(inner),
    }
    await using here = await site(files, { sandbox, registry })
    const provide = async (folder: string) =>
      here.dependencies.provide({
        repository: here.repository,
        tree: await here.treeOf(),
        settings: settingsOf(withNpm),
        folder,
      })
    const [linked, taken, outside] = ['linked', 'taken', 'outside'].map((name) => join(here.place, name)) as [
      string,
      string,
      string,
    ]
    await mkdir(outside)
    await mkdir(join(linked, 'packages'), { recursive: true })
    await symlink(outside, join(linked, 'packages/inner'))
    await expect(provide(linked)).rejects.toMatchObject({ code: 'dependencies-unavailable' })
    expect(await readdir(outside)).toEqual([])

    await mkdir(join(taken, 'packages/inner'), { recursive: true })
    await mkdir(join(taken, 'node_modules'))
    await writeFile(join(taken, 'node_modules/mine'), '')
    await expect(provide(taken)).rejects.toMatchObject({ code: 'dependencies-unavailable' })
    expect(await readdir(join(taken, 'node_modules'))).toEqual(['mine'])
    await chmod(taken, 0o700)
  })

  test('are none where the settings say so', async () => {
    await using here = await site({ a: '' }, { sandbox })
    const request = {
      repository: here.repository,
      tree: await here.treeOf(),
      settings: settingsOf(),
      folder: here.place,
    }
    expect(await here.dependencies.provide(request)).toEqual({ readable: [] })
  })
})

test('rooms that a killed process left behind are removed', async () => {
  await using here = await site({ a: '' }, { sandbox: unconfinedSandbox() })
  await mkdir(join(here.folder, 'room-999999999-abc/1/tree'), { recursive: true })
  await mkdir(join(here.folder, `room-${process.pid}-mine`))
  await (await here.open()).close()
  expect(await readdir(here.folder)).toEqual([`room-${process.pid}-mine`])
})
