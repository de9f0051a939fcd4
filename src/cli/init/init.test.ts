import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { run, type Ended } from '../../../test/fakes/command-line.ts'
import { readSettings } from '../../domain/read-settings.ts'
import { withSection } from './agents-section.ts'
import { findGates } from './find-gates.ts'
import { settingsText } from './settings-text.ts'
import { splitCommand } from './split-command.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

interface Place {
  readonly folder: string
  readonly git: (...argv: readonly string[]) => string
  readonly write: (path: string, content: string) => Promise<void>
  readonly read: (path: string) => Promise<string>
  readonly init: (...argv: readonly string[]) => Promise<Ended>
}

/** A folder with an SSH key beside it, and nothing else; a repository with one commit when `files` are given. */
async function place(files?: Readonly<Record<string, string>>): Promise<Place> {
  const home = await mkdtemp(join(tmpdir(), 'gaffer-init-'))
  folders.push(home)
  const folder = join(home, 'repository')
  await mkdir(folder)
  await mkdir(join(home, '.ssh'))
  spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'maria', '-f', join(home, '.ssh', 'id_ed25519')])
  const env = {
    HOME: home,
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_CONFIG_SYSTEM: '/dev/null',
    GAFFER_DATA: join(home, 'data'),
  }
  await writeFile(
    env.GIT_CONFIG_GLOBAL,
    '[user]\n\tname = Maria\n\temail = maria@example.com\n[init]\n\tdefaultBranch = main\n',
  )
  const made: Place = {
    folder,
    git: (...argv) => spawnSync('git', argv, { cwd: folder, encoding: 'utf8', env: { ...process.env, ...env } }).stdout,
    async write(path, content) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), content)
    },
    read: (path) => readFile(join(folder, path), 'utf8'),
    init: (...argv) => run(['init', ...argv], { cwd: folder, env }),
  }
  if (files === undefined) return made
  made.git('init', '--quiet')
  for (const [path, content] of Object.entries(files)) await made.write(path, content)
  made.git('add', '--all')
  made.git('commit', '--quiet', '--allow-empty', '--message', 'feat: first')
  return made
}

const npmFiles = {
  'package.json': JSON.stringify({
    scripts: { test: 'vitest run', lint: 'oxlint', typecheck: 'tsc --noEmit' },
    devDependencies: { vitest: '5.1.0' },
  }),
  'package-lock.json': '{}',
  'test/contract/orders.test.ts': '',
}

describe('gaffer init', () => {
  it('finds the gates of an npm package and writes settings that Gaffer can read', async () => {
    const { init, read, folder } = await place(npmFiles)
    const ended = await init('--agent-command', 'opencode acp')
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const settings = readSettings(await read('.gaffer/gaffer.yaml'))
    expect(settings).toMatchObject({
      branch: 'main',
      dependencies: { installer: 'npm' },
      gates: {
        tests: { run: 'vitest run --reporter=junit --outputFile="$GAFFER_REPORTS/junit.xml"' },
        lint: { run: 'oxlint' },
        types: { run: 'tsc --noEmit' },
      },
      contracts: ['test/contract/**'],
      agents: { opencode: { command: ['opencode', 'acp'] } },
      agent: 'opencode',
    })
    expect(await read('.gaffer/allowed_signers')).toMatch(
      /^maria@example\.com namespaces="gaffer-sign-off" ssh-ed25519 AAAA\S+$/m,
    )
    expect(await read('.gaffer/evidence_keys.pem')).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)
    expect(await read('AGENTS.md')).toContain('gaffer:start')
    expect(ended.stdout).toContain(join(dirname(folder), '.ssh', 'id_ed25519.pub'))
  })

  it('changes nothing when it is run again', async () => {
    const { init, git, read } = await place({ ...npmFiles, 'AGENTS.md': '# Ours\n\nBe kind.\n' })
    await init('--commit')
    const first = git('rev-parse', 'HEAD')
    const agents = await read('AGENTS.md')
    expect(agents.startsWith('# Ours\n\nBe kind.\n\n<!-- gaffer:start -->')).toBe(true)
    const again = await init('--commit')
    expect(again).toMatchObject({ code: 0 })
    expect(again.stdout).toContain('nothing had to be changed')
    expect(git('rev-parse', 'HEAD')).toBe(first)
    expect(git('status', '--porcelain')).toBe('')
    expect(await read('AGENTS.md')).toBe(agents)
  })

  it('keeps settings that are there, and commits them with the rest', async () => {
    const { init, git, read, write } = await place(npmFiles)
    const mine = 'version: 1\ngates:\n  tests:\n    run: make test\n'
    await write('.gaffer/gaffer.yaml', mine)
    expect((await init('--commit')).code).toBe(0)
    expect(await read('.gaffer/gaffer.yaml')).toBe(mine)
    expect(git('show', '--name-only', '--format=', 'HEAD').trim().split('\n').toSorted()).toEqual([
      '.gaffer/allowed_signers',
      '.gaffer/evidence_keys.pem',
      '.gaffer/gaffer.yaml',
      'AGENTS.md',
    ])
  })

  it('commits its own files only, and leaves what else is under way as it is', async () => {
    const { init, git, write } = await place({ ...npmFiles, 'src/a.ts': 'one\n' })
    await write('src/a.ts', 'two\n')
    await write('staged.ts', 'x\n')
    git('add', 'staged.ts')
    expect((await init('--commit')).code).toBe(0)
    expect(git('show', '--name-only', '--format=', 'HEAD')).not.toContain('.ts')
    expect(git('status', '--porcelain')).toBe(' M src/a.ts\nA  staged.ts\n')
  })

  it('adds a second owner beside the first', async () => {
    const { init, read } = await place(npmFiles)
    await init()
    await init('--owner', 'li@example.com')
    const signers = (await read('.gaffer/allowed_signers')).split('\n').filter((line) => line.includes('@'))
    expect(signers.map((line) => line.split(' ')[0])).toEqual(['maria@example.com', 'li@example.com'])
  })

  it('lets nothing through where it finds no command that could judge', async () => {
    const { init, read } = await place({ Makefile: 'test:\n\ttrue\n' })
    const { code, stdout } = await init()
    expect(code).toBe(0)
    expect(stdout).toContain('nothing can be delivered until')
    const text = await read('.gaffer/gaffer.yaml')
    expect(() => readSettings(text)).toThrow('gate')
    expect(text).toContain('#    run: make test')
  })

  it('makes the first commit of a repository that has none', async () => {
    const { init, git } = await place()
    git('init', '--quiet')
    expect((await init()).stdout).toContain('there is no commit yet')
    const { code, stderr } = await init('--commit')
    expect([code, stderr]).toEqual([0, ''])
    expect(git('rev-list', '--count', 'HEAD').trim()).toBe('1')
  })

  it.each([
    ['there is no repository', async () => place(), [], 1, 'git init'],
    [
      'the repository is bare',
      async () => {
        const made = await place()
        made.git('init', '--quiet', '--bare')
        return made
      },
      [],
      1,
      'no working tree',
    ],
    [
      'the head is detached and a commit is asked for',
      async () => {
        const made = await place(npmFiles)
        made.git('checkout', '--quiet', '--detach')
        return made
      },
      ['--commit'],
      1,
      'detached',
    ],
    [
      'a file that it would commit has other changes in it',
      async () => {
        const made = await place({ ...npmFiles, 'AGENTS.md': 'one\n' })
        await made.write('AGENTS.md', 'two\n')
        return made
      },
      ['--commit'],
      1,
      'not committed',
    ],
    [
      'its section in AGENTS.md is broken',
      async () => place({ ...npmFiles, 'AGENTS.md': '<!-- gaffer:start -->\n' }),
      [],
      1,
      'gaffer:end',
    ],
    ['the named key is none', async () => place(npmFiles), ['--key', 'package.json'], 2, '--key'],
    ['the owner is no address', async () => place(npmFiles), ['--owner', 'maria'], 2, '--owner'],
    [
      'the command of the agent is none',
      async () => place(npmFiles),
      ['--agent-command', '"opencode'],
      2,
      '--agent-command',
    ],
  ] as const)('writes nothing and says what to do when %s', async (_, make, argv, exit, says) => {
    const made = await make()
    const before = made.git('status', '--porcelain')
    const { code, stderr } = await made.init(...argv)
    expect([code, stderr]).toEqual([exit, expect.stringContaining(says)])
    expect(stderr).toContain('nothing was written')
    expect(made.git('status', '--porcelain')).toBe(before)
  })

  it('never opens a private key, and says what to do when there is no public one', async () => {
    const { init, folder } = await place(npmFiles)
    await rm(join(dirname(folder), '.ssh', 'id_ed25519.pub'))
    const { code, stderr } = await init()
    expect(code).toBe(1)
    expect(stderr).toContain('ssh-keygen -t ed25519')
  })

  it('says where its files have to go when it is run on another branch', async () => {
    const { init, git } = await place(npmFiles)
    git('checkout', '--quiet', '-b', 'adopt-gaffer')
    expect((await init()).stdout).toContain('once they are on main')
  })
})

describe('the gates that are found', () => {
  const gatesOf = (manifest: object, tracked: readonly string[] = []) =>
    findGates(new Map([['package.json', JSON.stringify(manifest)]]), tracked)
  const testGate = (test: string) => gatesOf({ scripts: { test } }).found[0]

  it('asks each runner for a report in its own way, and else goes by the exit code', () => {
    expect(testGate('vitest')?.run).toBe('vitest --run --reporter=junit --outputFile="$GAFFER_REPORTS/junit.xml"')
    expect(testGate('node --test test/*.ts')?.run).toBe(
      'node --test --test-reporter=junit --test-reporter-destination="$GAFFER_REPORTS/junit.xml" test/*.ts',
    )
    expect(testGate('sh -c "x $GAFFER_REPORTS"')).toEqual({
      name: 'tests',
      gate: 'tests',
      run: 'sh -c "x $GAFFER_REPORTS"',
    })
    expect(testGate('mocha && echo ok')).toEqual({ name: 'tests', gate: 'command', run: 'mocha && echo ok' })
    expect(testGate('echo "Error: no test specified" && exit 1')).toBeUndefined()
  })

  it('are the bodies of scripts, which no change can reach, unless npm alone knows what they mean', () => {
    const runs = (scripts: Record<string, string>) => gatesOf({ scripts }).found.map(({ run: line }) => line)
    expect(runs({ lint: 'oxlint && eslint .', types: 'tsc -b' })).toEqual(['oxlint && eslint .', 'tsc -b'])
    for (const body of ['npm run a && b', 'yarn a', 'run-s a b', 'node --run a', 'x $npm_package_name', 'a\nb'])
      expect(runs({ lint: body })).toEqual(['npm run lint'])
    expect(runs({ lint: 'oxlint', prelint: 'x' })).toEqual(['npm run lint'])
    expect(runs({ test: 'vitest run', posttest: 'x' })[0]).toMatch(/^npm test -- --reporter=junit/)
    expect(runs({ test: 'node --test', pretest: 'x' })[0]).toMatch(/^NODE_OPTIONS="--test-reporter=junit.* npm test$/)
  })

  it('are written down with the reason, in a form that is read back as it was', () => {
    const lines = (scripts: Record<string, string>) =>
      settingsText({ branch: 'main', gates: gatesOf({ scripts }), agent: null })
    const lint = `eslint 'a b' --rule "x: #1"`
    expect(readSettings(lines({ lint })).gates['lint']).toMatchObject({ run: lint })
    expect(lines({ lint })).toContain('an agent can change the scripts of package.json')
    expect(lines({ lint })).not.toContain('by npm')
    expect(lines({ lint: 'npm run x' })).toContain('by npm')
  })

  it('says when dependencies cannot be installed', () => {
    expect(gatesOf({ dependencies: { hono: '1' } }, ['pnpm-lock.yaml']).notes.join()).toContain('pnpm-lock.yaml')
    expect(gatesOf({ dependencies: { hono: '1' } }, ['package-lock.json'])).toMatchObject({
      installer: 'npm',
      notes: [],
    })
  })

  it('is none where package.json cannot be read', () => {
    expect(findGates(new Map([['package.json', '{']]), []).found).toEqual([])
  })
})

describe('a command line', () => {
  it.each([
    ['opencode acp', ['opencode', 'acp']],
    [`"/opt/my agent/run" --name 'a b' c\\ d ""`, ['/opt/my agent/run', '--name', 'a b', 'c d', '']],
    ['"open', undefined],
    ['   ', undefined],
  ])('%j is %j', (line, words) => {
    expect(splitCommand(line)).toEqual(words)
  })
})

describe('the section in AGENTS.md', () => {
  it('is replaced where it stands, and everything around it stays', () => {
    const around = ['# Ours\n\nfirst\n', '\n\nlast\n']
    const old = `${around[0]}<!-- gaffer:start -->\nold words\n<!-- gaffer:end -->${around[1]}`
    const fresh = withSection(old) ?? ''
    expect(fresh.startsWith(around[0] ?? '')).toBe(true)
    expect(fresh.endsWith(around[1] ?? '')).toBe(true)
    expect(fresh).not.toContain('old words')
    expect(withSection(fresh)).toBe(fresh)
  })
})
