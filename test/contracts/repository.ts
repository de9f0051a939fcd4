import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { commitSha, treeSha, type CommitSha, type TreeSha } from '../../src/domain/ids.ts'
import type { Repositories, Repository } from '../../src/ports/repository.ts'
import {
  git,
  temporaryFolder,
  testPerson,
  writeFiles,
  type TemporaryFolder,
  type TestRepository,
} from '../repositories.ts'

/** A hub to try an implementation on. */
export interface PreparedHub {
  /** What is given to `open`. */
  readonly hub: string
  /** The same repository, for looking into it with git. */
  readonly inside: TestRepository
  /** Whether `main` is checked out there with local edits, so that it does not move. */
  readonly dirty?: boolean
}

/** What a hub holds before each test, on `main`. */
export const begun = {
  'README.md': '# Orders\n',
  'src/order.ts': 'export const order = 1\n',
  'bin/run': { executable: '#!/bin/sh\necho run\n' },
  'docs/latest': { link: '../README.md' },
  '.gitignore': 'node_modules/\n*.log\n',
} as const

/** What every implementation of Repositories does. `prepare` makes a hub that holds `begun`, in a fresh folder. */
export function repositoryContract(
  name: string,
  create: (folder: string) => Repositories,
  prepare: (folder: string) => Promise<PreparedHub>,
): void {
  describe(`${name} keeps the contract of a repository`, () => {
    let place: TemporaryFolder
    let hub: PreparedHub
    let repository: Repository
    let main: CommitSha

    beforeAll(async () => {
      place = await temporaryFolder()
      hub = await prepare(join(place.path, 'prepared'))
      repository = await create(join(place.path, 'stores')).open(hub.hub)
      const head = await repository.head('refs/heads/main')
      if (head === undefined) throw new Error('the prepared hub has no main')
      main = head
    })
    afterAll(async () => {
      await repository.close()
      await place.remove()
    })

    const commitOn = async (
      parent: CommitSha,
      files: Readonly<Record<string, string | null>>,
      message = 'feat: change',
    ): Promise<CommitSha> => {
      const tree = await repository.edit(await repository.treeOf(parent), files)
      const at = '2026-02-03T04:05:06.000Z'
      return repository.commit({ tree, parents: [parent], message, author: testPerson, committer: testPerson, at })
    }
    const unmade = commitSha('1'.repeat(40))

    test('it is called as the caller named it', () => expect(repository.hub).toBe(hub.hub))

    describe('reading', () => {
      test('heads are asked by full name, and a missing one is undefined', async () => {
        expect(await repository.head('refs/heads/main')).toBe(await hub.inside.head('refs/heads/main'))
        expect(await repository.head('refs/heads/none')).toBeUndefined()
        expect(await repository.head('main')).toBeUndefined()
        expect(await repository.head('refs/gaffer/evidence')).toBeUndefined()
      })

      test('a revision means a commit as it does on the hub, or nothing', async () => {
        const second = await commitOn(main, { a: '1' })
        await repository.push([{ ref: 'refs/heads/side', from: null, to: second }])
        expect(await repository.resolve('HEAD')).toBe(main)
        expect(await repository.resolve('main')).toBe(main)
        expect(await repository.resolve('refs/heads/side')).toBe(second)
        expect(await repository.resolve('side~1')).toBe(main)
        expect(await repository.resolve('side^')).toBe(main)
        expect(await repository.resolve(second.slice(0, 12))).toBe(second)
        expect(await repository.resolve(second)).toBe(second)
        for (const nothing of [
          'none',
          'main~7',
          '',
          '-main',
          '--all',
          'ma in',
          'main\nside',
          'main:README.md',
          '..',
          unmade,
        ])
          expect(await repository.resolve(nothing)).toBeUndefined()
      })

      test('files are listed in git order with mode and id, all of them or below a folder', async () => {
        const listed = await repository.list(main)
        const lines = listed.map(({ mode, sha, path }) => `${mode} ${sha}\t${path}`)
        const asked = await hub.inside.git('ls-tree', '-r', '--format=%(objectmode) %(objectname)%x09%(path)', 'main')
        expect(lines).toEqual(asked.split('\n'))
        expect((await repository.list(main, 'src')).map(({ path }) => path)).toEqual(['src/order.ts'])
        expect((await repository.list(main, 'src/')).map(({ path }) => path)).toEqual(['src/order.ts'])
        expect((await repository.list(main, 'README.md')).map(({ path }) => path)).toEqual(['README.md'])
        expect(await repository.list(main, 'none/such')).toEqual([])
        expect(await repository.list(await repository.treeOf(main))).toEqual(listed)
      })

      test('a file is read from a commit or a tree; what is no regular file is none', async () => {
        expect(await repository.read(main, 'src/order.ts')).toBe('export const order = 1\n')
        expect(await repository.read(await repository.treeOf(main), 'bin/run')).toContain('echo run')
        for (const path of [
          'none',
          'src',
          'docs/latest',
          'src/order.ts/deeper',
          '',
          '/README.md',
          '../README.md',
          'src/../README.md',
        ])
          expect(await repository.read(main, path)).toBeUndefined()
      })

      test('several files are read in one go, the missing ones left out', async () => {
        const found = await repository.readMany(main, ['README.md', 'none', 'docs/latest', 'bin/run'])
        expect([...found.keys()]).toEqual(['README.md', 'bin/run'])
        expect(Buffer.from(found.get('README.md') ?? []).toString()).toBe('# Orders\n')
      })

      test('commits are told oldest first along first parents, without those the other side has', async () => {
        const one = await commitOn(main, { one: '1' }, 'feat: one')
        const side = await commitOn(main, { side: '1' }, 'feat: side')
        const merged = await repository.merge(one, side)
        const tree = merged.kind === 'clean' ? merged.tree : treeSha('0'.repeat(40))
        const who = { author: testPerson, committer: testPerson, at: '2026-02-03T04:05:07.000Z' }
        const merge = await repository.commit({ tree, parents: [one, side], message: 'Merge', ...who })
        const told = async (from: CommitSha | null, to: CommitSha): Promise<readonly string[]> =>
          (await repository.commits(from, to)).map(({ sha }) => sha)

        expect(await told(main, merge)).toEqual([one, merge])
        expect(await told(null, merge)).toEqual([main, one, merge])
        expect(await told(side, merge)).toEqual([one, merge])
        expect(await told(merge, main)).toEqual([])
        expect(await told(merge, merge)).toEqual([])
        expect((await repository.commits(main, merge, { touching: 'one' })).map(({ sha }) => sha)).toContain(one)
      })

      test('a commit says its tree, parents, message, people and dates', async () => {
        const made = await commitOn(main, { a: 'b' }, 'feat(orders)!: say it\n\nTask: a-b-c\n')
        expect(await repository.commitInfo(made)).toEqual({
          sha: made,
          tree: await repository.treeOf(made),
          parents: [main],
          message: 'feat(orders)!: say it\n\nTask: a-b-c\n',
          author: { ...testPerson, at: '2026-02-03T04:05:06.000Z' },
          committer: { ...testPerson, at: '2026-02-03T04:05:06.000Z' },
        })
      })

      test('changes are told file by file, with both sides', async () => {
        const made = await commitOn(main, { 'README.md': null, 'src/order.ts': 'other\n', 'src/new/file.ts': 'new\n' })
        const changes = await repository.changes(main, made)
        expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
          'deleted README.md',
          'added src/new/file.ts',
          'modified src/order.ts',
        ])
        expect(changes[0]?.after).toBeNull()
        expect(changes[1]?.before).toBeNull()
        expect(changes[2]?.before?.mode).toBe('100644')
        expect(await repository.changes(made, made)).toEqual([])
        expect(await repository.changes(await repository.treeOf(main), made)).toEqual(changes)
      })

      test('a patch is a unified diff, of some paths when they are given, and says when it was cut', async () => {
        const made = await commitOn(main, { 'README.md': 'x\n'.repeat(500), 'src/order.ts': 'other\n' })
        const whole = await repository.patch(main, made, { maxBytes: 1_000_000 })
        expect(whole).toContain('diff --git a/README.md b/README.md\n')
        expect(whole).toContain('\n-export const order = 1\n+other\n')
        const some = await repository.patch(main, made, { maxBytes: 1_000_000, paths: ['src'] })
        expect(some).not.toContain('README.md')
        expect(await repository.patch(main, made, { maxBytes: 1_000_000, paths: ['*'] })).toBe('')
        const cut = await repository.patch(main, made, { maxBytes: 200 })
        expect(whole.startsWith(cut.slice(0, cut.lastIndexOf('[cut')))).toBe(true)
        expect(cut.split('\n').at(-2)).toContain('200 bytes')
      })

      test('ancestry is told', async () => {
        const made = await commitOn(main, { a: '1' })
        expect(await repository.isAncestor(main, made)).toBe(true)
        expect(await repository.isAncestor(made, main)).toBe(false)
        expect(await repository.isAncestor(made, made)).toBe(true)
      })

      test('what is not there is a fault and not an answer', async () => {
        await expect(repository.commitInfo(unmade)).rejects.toMatchObject({ name: 'Fault', code: 'git-failed' })
        await expect(repository.treeOf(unmade)).rejects.toMatchObject({ code: 'git-failed' })
        await expect(repository.read(unmade, 'README.md')).rejects.toMatchObject({ code: 'git-failed' })
        await expect(repository.list(unmade)).rejects.toMatchObject({ code: 'git-failed' })
        await expect(repository.commits(null, unmade)).rejects.toMatchObject({ code: 'git-failed' })
        await expect(repository.isAncestor(unmade, main)).rejects.toMatchObject({ code: 'git-failed' })
        await expect(repository.merge(unmade, main)).rejects.toMatchObject({ code: 'git-failed' })
        await expect(repository.patch(unmade, main, { maxBytes: 9 })).rejects.toMatchObject({ code: 'git-failed' })
      })
    })

    describe('merging', () => {
      test('edits of different files merge, in either order', async () => {
        const ours = await commitOn(main, { ours: '1\n' })
        const theirs = await commitOn(main, { theirs: '2\n' })
        const merged = await repository.merge(ours, theirs)
        expect(merged).toEqual(await repository.merge(theirs, ours))
        expect(merged.kind === 'clean' && (await repository.read(merged.tree, 'theirs'))).toBe('2\n')
      })

      test('edits of one line are a conflict, by path', async () => {
        const ours = await commitOn(main, { 'README.md': '# Ours\n', 'src/order.ts': null })
        const theirs = await commitOn(main, { 'README.md': '# Theirs\n', 'src/order.ts': 'changed\n' })
        expect(await repository.merge(ours, theirs)).toEqual({ kind: 'conflict', paths: ['README.md', 'src/order.ts'] })
      })
    })

    describe('editing and committing', () => {
      test('an edit writes and removes files, keeps modes, and touches nothing else', async () => {
        const tree = await repository.edit(await repository.treeOf(main), {
          'bin/run': '#!/bin/sh\n',
          'docs/latest': 'now a file\n',
          'a/b/c': 'new\n',
          'README.md': null,
          'never/was': null,
        })
        expect((await repository.list(tree)).map(({ mode, path }) => `${mode} ${path}`)).toEqual([
          '100644 .gitignore',
          '100644 a/b/c',
          '100755 bin/run',
          '100644 docs/latest',
          '100644 src/order.ts',
        ])
      })

      test('from nothing, a tree has the given files alone; without files it is the empty tree', async () => {
        const tree = await repository.edit(null, { 'x/y': 'z' })
        expect((await repository.list(tree)).map(({ path }) => path)).toEqual(['x/y'])
        expect(await repository.list(await repository.edit(tree, { 'x/y': null }))).toEqual([])
        expect(await repository.edit(null, {})).toBe(await repository.edit(tree, { 'x/y': null }))
      })

      test('an edit refuses paths that cannot stand in a tree', async () => {
        const refused = [
          '',
          '/etc/passwd',
          'a//b',
          'a/',
          '../a',
          'a/../b',
          './a',
          '.git/config',
          'a/.GIT/hooks/x',
          'a\0b',
          '\ud800',
        ]
        for (const path of refused)
          await expect(repository.edit(null, { [path]: 'x' })).rejects.toMatchObject({ code: 'bad-input' })
      })

      test('a commit is the same for the same input', async () => {
        expect(await commitOn(main, { a: '1' })).toBe(await commitOn(main, { a: '1' }))
        expect(await commitOn(main, { a: '1' }, 'other')).not.toBe(await commitOn(main, { a: '1' }))
      })

      test('a commit of a tree or on a parent that is not there is refused', async () => {
        const who = { message: 'm', author: testPerson, committer: testPerson, at: '2026-01-01T00:00:00Z' }
        const tree = await repository.treeOf(main)
        const missing = treeSha('1'.repeat(40))
        await expect(repository.commit({ ...who, tree: missing, parents: [] })).rejects.toMatchObject({
          code: 'git-failed',
        })
        await expect(repository.commit({ ...who, tree, parents: [unmade] })).rejects.toMatchObject({
          code: 'git-failed',
        })
      })

      test('a checkout writes the files and no .git, only where nothing is', async () => {
        const folder = join(place.path, 'out')
        await repository.checkout(await repository.treeOf(main), folder)
        expect((await readdir(folder)).toSorted()).toEqual(['.gitignore', 'README.md', 'bin', 'docs', 'src'])
        expect(await readFile(join(folder, 'docs/latest'), 'utf8')).toBe('# Orders\n')
        await expect(repository.checkout(await repository.treeOf(main), folder)).rejects.toMatchObject({
          code: 'bad-input',
        })
      })
    })

    describe('pushing', () => {
      test('refs move together, and later questions know', async () => {
        const made = await commitOn(main, { a: '1' })
        const updates = [
          { ref: 'refs/heads/gaffer/a-b-c', from: null, to: made },
          { ref: 'refs/gaffer/evidence', from: null, to: main },
        ]
        expect(await repository.push(updates)).toEqual({ kind: 'pushed' })
        expect(await hub.inside.head('refs/heads/gaffer/a-b-c')).toBe(made)
        expect(await hub.inside.head('refs/gaffer/evidence')).toBe(main)
        expect(await repository.head('refs/heads/gaffer/a-b-c')).toBe(made)
        expect(await repository.head('refs/gaffer/evidence')).toBe(main)
        expect(await repository.push(updates)).toEqual({ kind: 'pushed' })
        expect(await repository.push([])).toEqual({ kind: 'pushed' })
      })

      test('a ref that stands elsewhere is moved, and then none moves', async () => {
        const [one, two] = [await commitOn(main, { a: '1' }), await commitOn(main, { a: '2' })]
        await repository.push([{ ref: 'refs/heads/x', from: null, to: one }])
        const moved = { kind: 'moved', ref: 'refs/heads/x', actual: one }
        expect(await repository.push([{ ref: 'refs/heads/x', from: null, to: two }])).toEqual(moved)
        expect(await repository.push([{ ref: 'refs/heads/x', from: main, to: two }])).toEqual(moved)
        const both = [
          { ref: 'refs/heads/y', from: null, to: two },
          { ref: 'refs/heads/x', from: main, to: two },
        ]
        expect(await repository.push(both)).toEqual(moved)
        expect(await hub.inside.head('refs/heads/y')).toBeUndefined()
        const gone = { kind: 'moved', ref: 'refs/heads/z', actual: null }
        expect(await repository.push([{ ref: 'refs/heads/z', from: main, to: two }])).toEqual(gone)
      })

      test('a ref moves from the value it is expected to have to any other', async () => {
        const [one, two] = [await commitOn(main, { a: '1' }), await commitOn(main, { a: '2' })]
        await repository.push([{ ref: 'refs/heads/back', from: null, to: one }])
        expect(await repository.push([{ ref: 'refs/heads/back', from: one, to: two }])).toEqual({ kind: 'pushed' })
        expect(await hub.inside.head('refs/heads/back')).toBe(two)
      })

      test('of two who push from one value, one goes through', async () => {
        const made = await Promise.all([1, 2, 3].map((each) => commitOn(main, { a: `${each}` })))
        const pushed = await Promise.all(
          made.map((to) => repository.push([{ ref: 'refs/heads/race', from: null, to }])),
        )
        expect(pushed.map(({ kind }) => kind).toSorted()).toEqual(['moved', 'moved', 'pushed'])
        expect(await hub.inside.head('refs/heads/race')).toBe(made[pushed.findIndex(({ kind }) => kind === 'pushed')])
      })

      test('a ref is given by its full name', async () => {
        for (const ref of ['main', 'refs/heads/a..b', 'refs/heads/a b', 'refs/heads/x.lock', '--all', 'refs/heads/'])
          await expect(repository.push([{ ref, from: null, to: main }])).rejects.toMatchObject({ code: 'bad-input' })
      })

      test('what others push is seen after a fetch, and what they remove is gone', async () => {
        await hub.inside.git('branch', 'theirs', 'main')
        await hub.inside.git('update-ref', 'refs/gaffer/other', 'main')
        await repository.fetch()
        expect(await repository.head('refs/heads/theirs')).toBe(main)
        expect(await repository.head('refs/gaffer/other')).toBe(main)
        await hub.inside.git('branch', '-D', 'theirs')
        await hub.inside.git('branch', 'theirs/below', 'main')
        await repository.fetch()
        expect(await repository.head('refs/heads/theirs')).toBeUndefined()
        expect(await repository.head('refs/heads/theirs/below')).toBe(main)
      })
    })

    describe('workspaces', () => {
      let folder = 0
      beforeEach(() => void (folder += 1))
      const workspace = (): string => join(place.path, 'workspaces', `task-${folder}`)
      const treeNow = async (since: CommitSha): Promise<TreeSha> => (await repository.snapshot(workspace(), since)).tree

      test('a workspace holds the files of its commit, and an agent finds a clean clone with history', async () => {
        const made = await commitOn(main, { 'src/new.ts': 'new\n' }, 'feat: new')
        await repository.openWorkspace(workspace(), made)
        expect(await readFile(join(workspace(), 'src/new.ts'), 'utf8')).toBe('new\n')
        expect(await git(workspace(), ['status', '--porcelain'])).toBe('')
        expect(await git(workspace(), ['rev-parse', 'HEAD', 'HEAD~1'])).toBe(`${made}\n${main}`)
        expect(await git(workspace(), ['remote'])).toBe('')
        expect(await treeNow(made)).toBe(await repository.treeOf(made))
      })

      test('opened again it is as the commit says, and ignored files stay', async () => {
        await repository.openWorkspace(workspace(), main)
        await writeFiles(workspace(), {
          'src/order.ts': 'edited\n',
          'README.md': null,
          'src/untracked/x.ts': 'new\n',
          'node_modules/dep/index.js': 'kept\n',
          'build.log': 'kept\n',
        })
        const made = await commitOn(main, { 'src/next.ts': 'next\n' })
        await repository.openWorkspace(workspace(), made)
        expect(await git(workspace(), ['status', '--porcelain'])).toBe('')
        expect(await treeNow(made)).toBe(await repository.treeOf(made))
        expect(await readdir(join(workspace(), 'src'))).toEqual(['next.ts', 'order.ts'])
        expect(await readFile(join(workspace(), 'node_modules/dep/index.js'), 'utf8')).toBe('kept\n')
        expect(await readFile(join(workspace(), 'build.log'), 'utf8')).toBe('kept\n')
        await repository.openWorkspace(workspace(), main)
        expect(await treeNow(main)).toBe(await repository.treeOf(main))
        expect(await git(workspace(), ['rev-parse', 'HEAD'])).toBe(main)
      })

      test('a folder that was something else becomes a workspace', async () => {
        await mkdir(join(workspace(), 'src'), { recursive: true })
        await writeFiles(workspace(), { 'src/order.ts': 'other', stray: 'x', 'build.log': 'ignored, and not ours' })
        await repository.openWorkspace(workspace(), main)
        expect((await readdir(workspace())).toSorted()).toEqual([
          '.git',
          '.gitignore',
          'README.md',
          'bin',
          'docs',
          'src',
        ])
      })

      test('a snapshot is the tree of the files as they are, ignored ones left out', async () => {
        await repository.openWorkspace(workspace(), main)
        await writeFiles(workspace(), {
          'src/order.ts': 'edited\n',
          'src/sub/new.ts': 'new\n',
          'README.md': null,
          'bin/tool': { executable: '#!/bin/sh\n' },
          'node_modules/dep/index.js': 'ignored',
          'x.log': 'ignored',
        })
        const { tree, problems } = await repository.snapshot(workspace(), main)
        expect(problems).toEqual([])
        expect(
          (await repository.changes(main, tree)).map(({ kind, path, after }) => `${kind} ${after?.mode} ${path}`),
        ).toEqual([
          'deleted undefined README.md',
          'added 100755 bin/tool',
          'modified 100644 src/order.ts',
          'added 100644 src/sub/new.ts',
        ])
        expect(await repository.read(tree, 'src/order.ts')).toBe('edited\n')
        expect(await treeNow(main)).toBe(tree)
      })

      test('a snapshot depends on the files and on since, not on earlier snapshots', async () => {
        await repository.openWorkspace(workspace(), main)
        await writeFiles(workspace(), { 'a.txt': '1\n', 'b.txt': '2\n' })
        const first = await treeNow(main)
        await writeFiles(workspace(), { 'a.txt': null, '.gitignore': 'node_modules/\n*.log\nb.txt\n' })
        const second = await repository.snapshot(workspace(), main)
        expect((await repository.list(second.tree)).map(({ path }) => path)).not.toContain('b.txt')
        expect(first).not.toBe(second.tree)
      })

      test('what cannot be part of a tree is a problem', async () => {
        await repository.openWorkspace(workspace(), main)
        await git(workspace(), ['init', '--quiet', 'vendored'])
        await writeFiles(workspace(), {
          out: { link: '/etc/passwd' },
          'src/up': { link: '../../../x' },
          fine: { link: 'src' },
        })
        const { tree, problems } = await repository.snapshot(workspace(), main)
        expect(problems.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
          'symlink-leaves out',
          'symlink-leaves src/up',
          'nested-repository vendored',
        ])
        expect((await repository.changes(main, tree)).map(({ path }) => path)).toEqual(['fine'])
      })

      test('a snapshot of a workspace that is not there is a fault', async () => {
        await expect(repository.snapshot(workspace(), main)).rejects.toMatchObject({
          code: 'git-failed',
          retryable: true,
        })
      })
    })

    test('main moves with its checkout when that is clean, and never under local edits', async () => {
      const made = await commitOn(main, { 'src/order.ts': 'landed\n' })
      const pushed = await repository.push([{ ref: 'refs/heads/main', from: main, to: made }])
      expect(pushed.kind).toBe(hub.dirty === true ? 'checked-out-dirty' : 'pushed')
      expect(await hub.inside.head('refs/heads/main')).toBe(hub.dirty === true ? main : made)
    })

    test('reading goes on after close', async () => {
      await repository.close()
      await repository.close()
      expect(await repository.read(main, 'README.md')).toBe('# Orders\n')
    })
  })
}
