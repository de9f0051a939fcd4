import { execFileSync } from 'node:child_process'
import { chmod, link, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openTestRepository } from '../../../test/open-repository.ts'
import { treeSha } from '../../domain/ids.ts'
import { git, gitTestEnv, writeFiles } from '../../../test/repositories.ts'

const begun = { 'src/a.ts': 'a\n', 'src/b.ts': 'b\n', 'README.md': 'x\n', '.gitignore': 'node_modules/\n*.log\n' }

async function openWorkspace(files: Parameters<typeof openTestRepository>[0]['files'] = begun, options = {}) {
  const opened = await openTestRepository({ files, options })
  const workspace = join(opened.path, 'work/space')
  await opened.repository.openWorkspace(workspace, opened.main)
  const changed = async (): Promise<readonly string[]> => {
    const { tree } = await opened.repository.snapshot(workspace, opened.main)
    return (await opened.repository.changes(opened.main, tree)).map(({ kind, path }) => `${kind} ${path}`)
  }
  const problems = async (): Promise<readonly string[]> =>
    (await opened.repository.snapshot(workspace, opened.main)).problems.map(({ kind, path }) => `${kind} ${path}`)
  return { ...opened, workspace, changed, problems, [Symbol.asyncDispose]: opened[Symbol.asyncDispose] }
}

describe('a snapshot', () => {
  test.each([
    ['', begun],
    [' with attributes', { ...begun, '.gitattributes': '* text=auto\na eol=crlf\n' }],
  ])('of any files%s is what git add gives in a plain clone', async (_, files) => {
    await using space = await openWorkspace(files)
    const part = fc.constantFrom(
      'a',
      'b',
      'src',
      'x y',
      '-n',
      '"',
      "'",
      'ü',
      '*',
      ':!x',
      'n\nl',
      'k.log',
      'node_modules',
      '\\',
      '.hidden',
    )
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
    const file = fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom('one\ntwo\n', 'one\r\ntwo\r\n'),
      fc.uint8Array({ maxLength: 5 }),
      fc.record({ executable: fc.constantFrom('run', 'me') }),
      fc.record({ link: fc.constantFrom('a', 'src/a.ts', 'none') }),
      fc.constant(null),
    )
    const plain = join(space.path, 'plain')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(path, file), { maxLength: 8 }), async (wanted) => {
        await rm(join(space.workspace, 'node_modules'), { recursive: true, force: true }) // ignored, so it stayed
        await space.repository.openWorkspace(space.workspace, space.main)
        await rm(plain, { recursive: true, force: true })
        await git(space.path, ['clone', '--quiet', space.hub.folder, plain])
        for (const folder of [space.workspace, plain])
          for (const [at, content] of wanted) await writeFiles(folder, { [at]: content }).catch(() => undefined)
        // The one difference that is meant: a symlink in an ignored folder's place is ignored.
        const found = await readdir(plain, { recursive: true, withFileTypes: true })
        fc.pre(!found.some((entry) => entry.name === 'node_modules' && entry.isSymbolicLink()))
        await git(plain, ['add', '--all'])
        const { tree, problems } = await space.repository.snapshot(space.workspace, space.main)
        expect(problems).toEqual([])
        const wantedTree = await git(plain, ['write-tree'])
        const listed = (await space.repository.list(tree)).map((entry) => `${entry.mode} ${entry.sha} ${entry.path}`)
        const added = (await git(plain, ['ls-files', '--stage', '-z'])).split('\0').filter((line) => line !== '')
        expect(listed).toEqual(added.map((line) => line.replace(/ 0\t/, ' ')))
        expect(tree).toBe(wantedTree)
      }),
      { numRuns: 15 },
    )
  })

  test('holds names that are no UTF-8', async () => {
    await using space = await openWorkspace()
    await writeFile(Buffer.concat([Buffer.from(`${space.workspace}/caf`), Buffer.of(0xe9)]), 'x')
    expect(await space.changed()).toEqual(['added caf\\351'])
  })

  test('sees a file that turned into a folder, a link or back, and a changed mode', async () => {
    await using space = await openWorkspace()
    await writeFiles(space.workspace, { 'README.md': null, 'src/a.ts': { executable: 'a\n' } })
    await writeFiles(space.workspace, { 'README.md/inside': 'x', 'src/b.ts': { link: 'a.ts' } })
    expect(await space.changed()).toEqual([
      'deleted README.md',
      'added README.md/inside',
      'modified src/a.ts',
      'modified src/b.ts',
    ])
    await rm(join(space.workspace, 'src'), { recursive: true })
    await writeFiles(space.workspace, { src: 'a file now' })
    expect(await space.changed()).toEqual([
      'deleted README.md',
      'added README.md/inside',
      'added src',
      'deleted src/a.ts',
      'deleted src/b.ts',
    ])
  })

  test('sees an edit that keeps the size and the times', async () => {
    await using space = await openWorkspace()
    const before = await space.repository.snapshot(space.workspace, space.main)
    await writeFiles(space.workspace, { 'src/a.ts': 'c\n' })
    expect(before.tree).not.toBe((await space.repository.snapshot(space.workspace, space.main)).tree)
  })

  test('on a later commit holds what changed since that one', async () => {
    await using space = await openWorkspace()
    const next = await space.change(space.main, { 'src/a.ts': 'second\n', 'src/new.ts': 'new\n' })
    await writeFiles(space.workspace, { 'src/a.ts': 'second\n', 'src/new.ts': 'new\n' })
    const { tree } = await space.repository.snapshot(space.workspace, next)
    expect(tree).toBe(await space.repository.treeOf(next))
  })

  test('two at once agree', async () => {
    await using space = await openWorkspace()
    await writeFiles(space.workspace, { 'src/a.ts': 'edited\n', new: 'x' })
    const taken = await Promise.all([1, 2, 3].map(() => space.repository.snapshot(space.workspace, space.main)))
    expect(new Set(taken.map(({ tree }) => tree)).size).toBe(1)
  })

  test('with its index lost or spoiled is the same', async () => {
    await using space = await openWorkspace()
    await writeFiles(space.workspace, { 'src/a.ts': 'edited\n' })
    const { tree } = await space.repository.snapshot(space.workspace, space.main)
    const store = await space.store()
    const [index] = execFileSync('find', [join(store.folder, 'gaffer'), '-name', 'index'])
      .toString()
      .trim()
      .split('\n')
    await rm(index ?? '')
    expect((await space.repository.snapshot(space.workspace, space.main)).tree).toBe(tree)
  })
})

describe('problems of a workspace', () => {
  test('a nested repository, new or where files are tracked, empty or with commits', async () => {
    await using space = await openWorkspace()
    await git(space.workspace, ['init', '--quiet', 'vendor/empty'])
    await git(space.workspace, ['init', '--quiet', 'src'])
    await git(space.workspace, ['init', '--quiet', 'full'])
    await git(join(space.workspace, 'full'), ['commit', '--quiet', '--allow-empty', '-m', 'x'])
    await git(space.workspace, ['init', '--quiet', 'node_modules/ignored'])
    await writeFiles(space.workspace, {
      'src/a.ts': 'edited\n',
      'full/file': 'x',
      'odd/.git': 'not a repository',
      'odd/x': 'y',
    })
    expect(await space.problems()).toEqual([
      'nested-repository full',
      'nested-repository odd',
      'nested-repository src',
      'nested-repository vendor/empty',
    ])
    expect(await space.changed()).toEqual(['added odd/x', 'modified src/a.ts'])
  })

  test('a name that some system takes for .git', async () => {
    await using space = await openWorkspace()
    await writeFiles(space.workspace, {
      'x/.GIT/config': 'evil',
      'git~1': 'evil',
      'y/.git./hooks/x': 'evil',
      fine: 'x',
    })
    expect(await space.problems()).toEqual([
      'nested-repository git~1',
      'nested-repository x/.GIT',
      'nested-repository y/.git.',
    ])
    expect(await space.changed()).toEqual(['added fine'])
  })

  test('a file over the limit, new or grown; what was there stays', async () => {
    await using space = await openWorkspace(begun, { fileLimitBytes: 1_000 })
    await writeFiles(space.workspace, {
      'big.bin': 'x'.repeat(1_001),
      'just.bin': 'x'.repeat(1_000),
      'src/a.ts': 'x'.repeat(2_000),
    })
    await truncate(join(space.workspace, 'sparse.bin'), 0).catch(() => undefined)
    await writeFile(join(space.workspace, 'sparse.bin'), '')
    await truncate(join(space.workspace, 'sparse.bin'), 1e12)
    expect(await space.problems()).toEqual(['too-large big.bin', 'too-large sparse.bin', 'too-large src/a.ts'])
    expect(await space.changed()).toEqual(['added just.bin'])
  })

  test('fifos, sockets and devices, also in place of a tracked file', async () => {
    await using space = await openWorkspace()
    execFileSync('mkfifo', [join(space.workspace, 'fifo'), join(space.workspace, 'src/fifo')])
    await rm(join(space.workspace, 'README.md'))
    execFileSync('mkfifo', [join(space.workspace, 'README.md')])
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(join(space.workspace, 'socket'), resolve))
    expect(await space.problems()).toEqual([
      'special-file README.md',
      'special-file fifo',
      'special-file socket',
      'special-file src/fifo',
    ])
    expect(await space.changed()).toEqual([])
    await new Promise((resolve) => server.close(resolve))
  })

  test('symlinks that leave, alone or through others; those that stay are part of the tree', async () => {
    await using space = await openWorkspace()
    await writeFiles(space.workspace, {
      absolute: { link: join(space.workspace, 'README.md') },
      'src/up': { link: '../../outside' },
      first: { link: 'second/x' },
      second: { link: 'src/up' },
      git: { link: '.git/config' },
      inside: { link: 'src/a.ts' },
      'src/back': { link: '../.gitignore' },
      'README.md': { link: '/etc/hostname' },
    })
    expect(await space.problems()).toEqual(
      ['README.md', 'absolute', 'first', 'git', 'second', 'src/up'].map((path) => `symlink-leaves ${path}`),
    )
    expect(await space.changed()).toEqual(['added inside', 'added src/back'])
  })

  test('a symlink that the commit has already is nobody’s change, unless another one now bends it', async () => {
    await using space = await openWorkspace({
      ...begun,
      out: { link: '/etc/hostname' },
      'src/x': { link: 'deep/er/../../../README.md' },
      'src/deep/er/f': '',
    })
    expect(await space.problems()).toEqual([])
    await rm(join(space.workspace, 'src/deep/er'), { recursive: true })
    await symlink('../..', join(space.workspace, 'src/deep/er'))
    expect(await space.problems()).toEqual(['symlink-leaves src/x'])
  })

  test('files in the folder of a submodule', async () => {
    await using space = await openWorkspace({
      ...begun,
      '.gitmodules': '[submodule "sub"]\n\tpath = sub\n\turl = https://example.com/sub\n',
    })
    const store = await space.store()
    const listing = `${await store.git('ls-tree', await space.repository.treeOf(space.main))}\n160000 commit ${'a'.repeat(40)}\tsub\n`
    const tree = execFileSync('git', ['mktree', '--missing'], { cwd: store.folder, env: gitTestEnv, input: listing })
      .toString()
      .trim()
    const who = { name: 'A', email: 'a@example.com' }
    const withSubmodule = await space.repository.commit({
      tree: treeSha(tree),
      parents: [space.main],
      message: 'm',
      author: who,
      committer: who,
      at: '2026-01-01T00:00:00Z',
    })
    await space.repository.openWorkspace(space.workspace, withSubmodule)
    expect((await space.repository.snapshot(space.workspace, withSubmodule)).problems).toEqual([])
    expect((await space.repository.snapshot(space.workspace, withSubmodule)).tree).toBe(tree)
    await writeFiles(space.workspace, { 'sub/file': 'lost otherwise' })
    const { problems } = await space.repository.snapshot(space.workspace, withSubmodule)
    expect(problems).toMatchObject([{ kind: 'nested-repository', path: 'sub' }])
  })
})

describe('a hostile workspace', () => {
  const evil = (marker: string): string => `#!/bin/sh\ntouch ${marker}\ncat\n`

  test('starts nothing on the host: no filter, hook, monitor or nested configuration', async () => {
    await using space = await openWorkspace()
    const marker = join(space.path, 'started')
    const script = join(space.workspace, 'evil.sh')
    await writeFiles(space.workspace, {
      'evil.sh': { executable: evil(marker) },
      '.gitattributes': '* filter=evil diff=evil merge=evil working-tree-encoding=UTF-8\n',
      '.git/hooks/pre-commit': { executable: evil(marker) },
      '.git/hooks/post-index-change': { executable: evil(marker) },
      '.git/hooks/post-checkout': { executable: evil(marker) },
      '.git/info/attributes': '* filter=evil\n',
      '.gitconfig': `[core]\n\tfsmonitor = ${script}\n`,
    })
    const settings = `[core]\n\tfsmonitor = ${script}\n\thooksPath = ${space.workspace}\n\tsshCommand = ${script}\n[filter "evil"]\n\tclean = ${script}\n\tsmudge = ${script}\n\trequired = true\n[diff]\n\texternal = ${script}\n`
    await writeFile(join(space.workspace, '.git/config'), settings)
    await git(space.workspace, ['init', '--quiet', 'nested'], {
      env: { GIT_DIR: join(space.workspace, 'nested/.git') },
    }).catch(() => undefined)
    await mkdir(join(space.workspace, 'nested/.git/objects'), { recursive: true })
    await mkdir(join(space.workspace, 'nested/.git/refs'), { recursive: true })
    await writeFiles(space.workspace, {
      'nested/.git/HEAD': 'ref: refs/heads/main\n',
      'nested/.git/config': settings,
      'nested/x': 'y',
    })

    await space.repository.snapshot(space.workspace, space.main)
    await space.repository.openWorkspace(space.workspace, space.main)
    await expect(readFile(marker)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await space.changed()).toEqual([])
  })

  test('a submodule with its own configuration is not entered', async () => {
    await using space = await openWorkspace()
    const marker = join(space.path, 'started')
    const inner = join(space.workspace, 'src')
    await git(space.workspace, ['init', '--quiet', 'src'])
    await git(inner, ['config', 'core.fsmonitor', join(space.workspace, 'evil.sh')])
    await git(inner, ['config', 'status.submoduleSummary', 'true'])
    await writeFiles(space.workspace, { 'evil.sh': { executable: evil(marker) } })
    await space.repository.snapshot(space.workspace, space.main)
    await expect(readFile(marker)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('its own .git may be gone, a file, a link or nonsense', async () => {
    await using space = await openWorkspace()
    await writeFiles(space.workspace, { 'src/a.ts': 'edited\n' })
    for (const spoiled of [null, 'gitdir: /etc\n', { link: '/etc' }] as const) {
      await writeFiles(space.workspace, { '.git': spoiled })
      expect(await space.changed()).toEqual(['modified src/a.ts'])
    }
  })

  test('a workspace that became a symlink, or whose parent did, leads nowhere', async () => {
    await using space = await openWorkspace()
    const outside = join(space.path, 'outside')
    await writeFiles(outside, { 'space/secret': 'host', 'space/src/a.ts': 'host' })
    await rename(space.workspace, join(space.path, 'moved'))
    await symlink(join(outside, 'space'), space.workspace)
    await expect(space.repository.snapshot(space.workspace, space.main)).rejects.toMatchObject({ code: 'git-failed' })
    await rm(space.workspace)
    await rm(join(space.path, 'work'), { recursive: true })
    await symlink(outside, join(space.path, 'work'))
    await expect(space.repository.snapshot(space.workspace, space.main)).rejects.toMatchObject({ code: 'git-failed' })
    await expect(space.repository.openWorkspace(space.workspace, space.main)).rejects.toMatchObject({
      code: 'git-failed',
    })
    expect(await readFile(join(outside, 'space/src/a.ts'), 'utf8')).toBe('host')
  })

  test('a folder that became a link outside is not read through', async () => {
    await using space = await openWorkspace()
    const outside = join(space.path, 'outside')
    await writeFiles(outside, { 'a.ts': 'host secret', 'b.ts': 'b\n' })
    await rm(join(space.workspace, 'src'), { recursive: true })
    await symlink(outside, join(space.workspace, 'src'))
    const { tree, problems } = await space.repository.snapshot(space.workspace, space.main)
    expect(problems.map(({ kind, path }) => `${kind} ${path}`)).toEqual(['symlink-leaves src'])
    const listed = (await space.repository.list(tree)).map(({ path }) => path)
    expect(listed.filter((path) => path.startsWith('src'))).toEqual([])
  })

  test('a hard link to a file of the host adds that file’s bytes and changes nothing there', async () => {
    await using space = await openWorkspace()
    await writeFiles(space.path, { host: 'host\n' })
    await link(join(space.path, 'host'), join(space.workspace, 'linked'))
    expect(await space.changed()).toEqual(['added linked'])
    await space.repository.openWorkspace(space.workspace, space.main)
    expect(await readFile(join(space.path, 'host'), 'utf8')).toBe('host\n')
  })
})

describe('line ends and ignored things', () => {
  test('attributes count as in any clone, and files whose bytes did not change are unchanged', async () => {
    const files = {
      '.gitattributes': '*.txt text\n*.bat text eol=crlf\n',
      'odd.txt': 'one\r\ntwo\r\n',
      'run.bat': 'dir\n',
      'fine.txt': 'x\n',
    }
    await using space = await openWorkspace(files)
    expect(await space.changed()).toEqual([])
    // Touched, and the same: git itself would now turn its line ends.
    await writeFiles(space.workspace, { 'odd.txt': 'one\r\ntwo\r\n', 'new.txt': 'a\r\nb\r\n' })
    expect(await space.changed()).toEqual(['added new.txt'])
    const { tree } = await space.repository.snapshot(space.workspace, space.main)
    expect(await space.repository.read(tree, 'new.txt')).toBe('a\nb\n')
  })

  test('dependencies that are a symlink in an ignored folder’s place are ignored, and stay', async () => {
    await using space = await openWorkspace({ ...begun, 'app/.gitignore': 'cache/\n', 'app/x': 'y' })
    const cache = join(space.path, 'cache')
    await writeFiles(cache, { 'dep/index.js': 'x' })
    await symlink(cache, join(space.workspace, 'node_modules'))
    await symlink(cache, join(space.workspace, 'app/cache'))
    await symlink('/etc', join(space.workspace, 'other'))
    await writeFiles(space.workspace, { ':(glob)x': { link: '/etc' } })
    expect(await space.problems()).toEqual(['symlink-leaves :(glob)x', 'symlink-leaves other'])
    expect(await space.changed()).toEqual([])
    await space.repository.openWorkspace(space.workspace, space.main)
    expect(await readFile(join(space.workspace, 'node_modules/dep/index.js'), 'utf8')).toBe('x')
    expect(await readFile(join(cache, 'dep/index.js'), 'utf8')).toBe('x')
    await expect(readFile(join(space.workspace, 'other/hostname'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a file that cannot be read is a problem and the others are taken', async (context) => {
    if (process.getuid?.() === 0) context.skip('root reads every file')
    await using space = await openWorkspace()
    await writeFiles(space.workspace, { closed: 'x', open: 'y' })
    await chmod(join(space.workspace, 'closed'), 0)
    expect(await space.problems()).toEqual(['special-file closed'])
    expect(await space.changed()).toEqual(['added open'])
  })
})
