import { execFileSync } from 'node:child_process'
import { chmod, lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commitSha, type CommitSha } from '../../domain/ids.ts'
import { openTestRepository } from '../../../test/open-repository.ts'
import { git, writeFiles } from '../../../test/repositories.ts'

const begun = { 'src/a.ts': 'a\n', 'src/b.ts': 'b\n', 'README.md': 'x\n', '.gitignore': 'node_modules/\n*.log\n' }

async function prepare(objectFormat: 'sha1' | 'sha256' = 'sha1') {
  const opened = await openTestRepository({ files: begun, objectFormat })
  const workspace = join(opened.path, 'spaces/one')
  /** Everything below the workspace but its .git, as paths. */
  const filesNow = async (): Promise<readonly string[]> => {
    const found = await readdir(workspace, { recursive: true, withFileTypes: true })
    return found
      .filter((entry) => !`${entry.parentPath}/`.startsWith(`${workspace}/.git/`))
      .map((entry) => join(entry.parentPath, entry.name).slice(workspace.length + 1))
      .filter((path) => path !== '.git')
      .toSorted()
  }
  const open = (at: CommitSha = opened.main): Promise<void> => opened.repository.openWorkspace(workspace, at)
  return { ...opened, workspace, filesNow, open, [Symbol.asyncDispose]: opened[Symbol.asyncDispose] }
}
const asBegun = ['.gitignore', 'README.md', 'src', 'src/a.ts', 'src/b.ts']

describe('opening a workspace', () => {
  test('leaves nothing of what an agent did, whatever it was', async () => {
    await using space = await prepare()
    await mkdir(join(space.path, 'outside'))
    const part = fc.constantFrom(
      'a',
      'b',
      'src',
      'src/a.ts',
      'x y',
      '-n',
      '"',
      'ü',
      '*',
      ':!x',
      'n\nl',
      '.gitignore',
      '.git',
      'README.md',
    )
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
    const file = fc.constantFrom<Parameters<typeof writeFiles>[1][string]>(
      '',
      'text',
      '*',
      '*\n!*/\n',
      { executable: 'run' },
      { link: join(space.path, 'outside') },
      { link: 'src' },
      null,
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(path, file), { maxLength: 8 }), async (wanted) => {
        await space.open()
        for (const [at, content] of wanted) await writeFiles(space.workspace, { [at]: content }).catch(() => undefined)
        await space.open()
        expect(await space.filesNow()).toEqual(asBegun)
        expect(await git(space.workspace, ['status', '--porcelain', '--ignored'])).toBe('')
        const { tree, problems } = await space.repository.snapshot(space.workspace, space.main)
        expect([tree, problems]).toEqual([await space.repository.treeOf(space.main), []])
      }),
      { numRuns: 15 },
    )
  })

  test('removes fifos, nested repositories, empty folders, and what hides itself', async () => {
    await using space = await prepare()
    await space.open()
    execFileSync('mkfifo', [join(space.workspace, 'src/fifo')])
    await git(space.workspace, ['init', '--quiet', 'src/nested'])
    await git(space.workspace, ['init', '--quiet', 'src'])
    await mkdir(join(space.workspace, 'empty/deep'), { recursive: true })
    await writeFiles(space.workspace, {
      'hidden/.gitignore': '*\n',
      'hidden/more/.gitignore': '*',
      'hidden/more/tool.sh': 'x',
      'src/.gitignore': 'c.ts\n',
      'src/c.ts': 'x',
      'keep.log': 'ignored by the commit',
    })
    await space.open()
    expect(await space.filesNow()).toEqual([...asBegun.slice(0, 2), 'keep.log', ...asBegun.slice(2)])
  })

  test('gets into folders that an agent closed', async (context) => {
    if (process.getuid?.() === 0) context.skip('root gets into every folder')
    await using space = await prepare()
    await space.open()
    await writeFiles(space.workspace, { 'closed/deep/file': 'x', 'node_modules/dep/file': 'x' })
    for (const folder of ['closed/deep', 'closed', 'node_modules/dep', 'src', '.git/objects'])
      await chmod(join(space.workspace, folder), 0)
    await space.open()
    expect((await space.filesNow()).filter((path) => !path.startsWith('node_modules'))).toEqual(asBegun)
    expect(await git(space.workspace, ['fsck', '--strict'])).toBe('')
  })

  test('writes through no symlink', async () => {
    await using space = await prepare()
    await space.open()
    const outside = join(space.path, 'outside')
    await writeFiles(outside, { 'a.ts': 'host', heads: 'host', index: 'host', HEAD: 'host', 'objects/x': 'host' })
    for (const target of ['src', '.git', '.git/objects', '.git/HEAD', '.git/refs', '.git/index', 'README.md']) {
      await rm(join(space.workspace, target), { recursive: true, force: true })
      await mkdir(join(space.workspace, target, '..'), { recursive: true })
      await symlink(outside, join(space.workspace, target))
      await space.open()
      expect(await git(space.workspace, ['status', '--porcelain', '--ignored'])).toBe('')
    }
    expect(await space.filesNow()).toEqual(asBegun)
    expect((await readdir(outside)).toSorted()).toEqual(['HEAD', 'a.ts', 'heads', 'index', 'objects'])
    expect(await readFile(join(outside, 'a.ts'), 'utf8')).toBe('host')
  })

  test('mends a damaged .git and leaves ignored files where they are', async () => {
    await using space = await prepare()
    await space.open()
    const packs = join(space.workspace, '.git/objects/pack')
    const spoil: readonly (() => Promise<unknown>)[] = [
      () => rm(join(space.workspace, '.git'), { recursive: true }),
      () => rm(packs, { recursive: true }),
      async () => {
        for (const name of await readdir(packs)) {
          await chmod(join(packs, name), 0o600)
          await writeFile(join(packs, name), 'nonsense')
        }
      },
      () => writeFile(join(space.workspace, '.git/HEAD'), 'nonsense'),
      () => writeFile(join(space.workspace, '.git/index.lock'), ''),
      () => git(space.workspace, ['checkout', '--quiet', '--orphan', 'elsewhere']),
      () => git(space.workspace, ['remote', 'add', 'origin', 'https://example.com/x']),
      () => git(space.workspace, ['commit', '--quiet', '--allow-empty', '-m', 'agent']),
    ]
    for (const spoilIt of spoil) {
      await writeFiles(space.workspace, { 'node_modules/dep': 'kept' })
      await spoilIt()
      await space.open()
      expect(await git(space.workspace, ['rev-parse', 'HEAD'])).toBe(space.main)
      expect(await git(space.workspace, ['status', '--porcelain'])).toBe('')
      expect(await git(space.workspace, ['fsck', '--strict'])).toBe('')
      expect(await git(space.workspace, ['remote'])).toBe('')
      expect(await readFile(join(space.workspace, 'node_modules/dep'), 'utf8')).toBe('kept')
    }
  })

  test('takes over when the last one died at any point', async () => {
    await using space = await prepare()
    await space.open()
    const next = await space.change(space.main, { 'src/a.ts': 'next\n', 'src/new.ts': 'n\n', 'src/b.ts': null })
    const store = await space.store()
    const [note] = execFileSync('find', [join(store.folder, 'gaffer'), '-name', 'note.json'])
      .toString()
      .trim()
      .split('\n')
    const before = await readFile(note ?? '', 'utf8')
    const unfinished: readonly (() => Promise<unknown>)[] = [
      () => writeFiles(space.workspace, { 'src/a.ts': 'next\n', 'src/new.ts': 'half' }), // while files were written
      () => writeFile(note ?? '', before.replace(/"git":.*/, '"git":null}')), // while .git was made
      () => writeFile(note ?? '', 'half a no'),
      () => rm(note ?? ''), // before anything was noted
      () => writeFiles(join(space.path, 'spaces'), { '.one.git-new/objects/pack/tmp': 'x' }),
      () => rm(space.workspace, { recursive: true }),
    ]
    for (const leave of unfinished) {
      await space.open()
      await leave()
      await space.open(next)
      expect(await git(space.workspace, ['status', '--porcelain', '--ignored'])).toBe('')
      expect(await git(space.workspace, ['rev-parse', 'HEAD'])).toBe(next)
      expect((await readdir(join(space.path, 'spaces'))).toSorted()).toEqual(['one'])
    }
  })

  test('follows commit after commit with what is new, and goes back', async () => {
    await using space = await prepare()
    await space.open()
    let at = space.main
    const all: CommitSha[] = [at]
    for (let unit = 0; unit < 4; unit += 1) {
      at = await space.change(at, { [`src/unit${unit}.ts`]: `${unit}\n`, 'README.md': `${unit}\n` })
      all.push(at)
      await space.open(at)
      expect(await git(space.workspace, ['rev-list', 'HEAD'])).toBe(all.toReversed().join('\n'))
      expect(await git(space.workspace, ['fsck', '--strict'])).toBe('')
      expect(await git(space.workspace, ['status', '--porcelain'])).toBe('')
    }
    await space.open(space.main)
    expect(await git(space.workspace, ['rev-list', '--all'])).toBe(space.main)
    expect(await space.filesNow()).toEqual(asBegun)
  })

  test('gives the last commits of a long history, merges included', async () => {
    await using space = await prepare()
    const { repository, main } = space
    let at = main
    for (let count = 0; count < 70; count += 1) at = await space.change(at, { 'README.md': `${count}\n` })
    const side = await space.change(main, { side: 'x\n' })
    const merged = await repository.merge(at, side)
    if (merged.kind !== 'clean') throw new Error('no conflict was expected')
    const who = { name: 'A', email: 'a@example.com' }
    const merge = await repository.commit({
      tree: merged.tree,
      parents: [at, side],
      message: 'm',
      author: who,
      committer: who,
      at: '2026-01-01T00:00:00Z',
    })
    await space.open(merge)
    const depth = (await git(space.workspace, ['rev-list', '--first-parent', 'HEAD'])).split('\n').length
    expect(depth).toBe(50)
    expect(await git(space.workspace, ['fsck', '--strict'])).toBe('')
    expect(await git(space.workspace, ['log', '--format=%s', '-1', '--', 'side'])).not.toBe('')
    const next = await space.change(merge, { 'src/a.ts': 'after\n' })
    await space.open(next)
    expect(await git(space.workspace, ['fsck', '--strict'])).toBe('')
  })

  test('shares no file with anything, and holds no remote, no hook and nobody’s name', async () => {
    await using space = await prepare()
    await space.open()
    const found = await readdir(space.workspace, { recursive: true, withFileTypes: true })
    for (const entry of found.filter((each) => each.isFile()))
      expect((await stat(join(entry.parentPath, entry.name))).nlink).toBe(1)
    expect(found.map(({ name }) => name)).not.toContain('alternates')
    const config = await readFile(join(space.workspace, '.git/config'), 'utf8')
    expect(config).not.toContain('remote')
    expect(config).not.toContain(space.path)
    expect(await readdir(join(space.workspace, '.git/hooks'))).toEqual([])
  })

  test('what an agent does to its objects does not reach the store', async () => {
    await using space = await prepare()
    await space.open()
    const objects = join(space.workspace, '.git/objects')
    for (const entry of await readdir(objects, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      await chmod(join(entry.parentPath, entry.name), 0o600)
      await writeFile(join(entry.parentPath, entry.name), 'gone')
    }
    expect(await (await space.store()).git('fsck', '--strict', '--no-dangling')).toBe('')
    expect(await space.hub.git('fsck', '--strict')).toBe('')
  })

  test('of a commit that is not there is a fault and costs nothing', async () => {
    await using space = await prepare()
    await space.open()
    await expect(space.open(commitSha('1'.repeat(40)))).rejects.toMatchObject({ code: 'git-failed' })
    expect(await space.filesNow()).toEqual(asBegun)
  })

  test('works in a sha256 repository', async () => {
    await using space = await prepare('sha256')
    await space.open()
    expect(await git(space.workspace, ['status', '--porcelain'])).toBe('')
    const next = await space.change(space.main, { 'src/a.ts': 'next\n' })
    await space.open(next)
    expect(await git(space.workspace, ['rev-parse', 'HEAD'])).toBe(next)
    expect((await space.repository.snapshot(space.workspace, next)).tree).toBe(await space.repository.treeOf(next))
  })

  test('in place of a file or a symlink makes a folder', async () => {
    await using space = await prepare()
    const outside = join(space.path, 'outside')
    await writeFiles(outside, { kept: 'x' })
    await mkdir(join(space.path, 'spaces'))
    await symlink(outside, space.workspace)
    await space.open()
    expect((await lstat(space.workspace)).isDirectory()).toBe(true)
    expect(await readdir(outside)).toEqual(['kept'])
  })

  test('after the store was lost makes everything again from the hub', async () => {
    await using space = await prepare()
    await space.open()
    await space.repository.close()
    await rm(join(space.path, 'stores'), { recursive: true })
    const again = await space.repositories.open(space.hub.folder)
    await again.openWorkspace(space.workspace, space.main)
    expect((await again.snapshot(space.workspace, space.main)).tree).toBe(await again.treeOf(space.main))
    await again.close()
  })
})
