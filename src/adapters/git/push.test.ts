import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commitSha, type CommitSha } from '../../domain/ids.ts'
import type { RefUpdate } from '../../ports/repository.ts'
import { openTestRepository, type OpenedRepository } from '../../../test/open-repository.ts'
import { git, writeFiles, type Files } from '../../../test/repositories.ts'

const begun = { 'src/a.ts': 'a\n', 'src/b.ts': 'b\n', 'README.md': 'x\n', '.gitignore': '*.log\n' }
const landing = { 'src/a.ts': 'landed\n', 'src/new/c.ts': 'new\n', 'README.md': null }

/** A person's repository with `main` checked out, and a commit that wants to land on it. */
async function prepareLanding(files: Files = begun) {
  const opened = await openTestRepository({ files, hub: 'own' })
  const to = await opened.change(opened.main, landing)
  const update: RefUpdate = { ref: 'refs/heads/main', from: opened.main, to }
  const land = () => opened.repository.push([update])
  const inHub = (path: string): Promise<string | undefined> =>
    readFile(join(opened.hub.folder, path), 'utf8').catch(() => undefined)
  const expectLanded = async (): Promise<void> => {
    expect(await opened.hub.head('main')).toBe(to)
    expect(await opened.hub.git('status', '--porcelain')).toBe('')
    expect(await inHub('src/new/c.ts')).toBe('new\n')
  }
  const expectUntouched = async (): Promise<void> => expect(await opened.hub.head('main')).toBe(opened.main)
  return {
    ...opened,
    to,
    update,
    land,
    inHub,
    expectLanded,
    expectUntouched,
    [Symbol.asyncDispose]: opened[Symbol.asyncDispose],
  }
}

async function writeHook(opened: OpenedRepository, name: string, script: string): Promise<void> {
  const folder = join(opened.hub.folder, opened.hub.folder.endsWith('.git') ? 'hooks' : '.git/hooks')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}

describe('landing on a branch that a person has checked out', () => {
  test('moves the files along when they are clean, untracked and ignored ones stay', async () => {
    await using on = await prepareLanding()
    await writeFiles(on.hub.folder, { 'notes.log': 'ignored', notes: 'untracked' })
    expect(await on.land()).toEqual({ kind: 'pushed' })
    expect(await on.hub.head('main')).toBe(on.to)
    expect(await on.hub.git('status', '--porcelain')).toBe('?? notes')
    expect(await on.inHub('notes.log')).toBe('ignored')
    expect(await on.inHub('README.md')).toBeUndefined()
  })

  const edits: Readonly<Record<string, (folder: string) => Promise<unknown>>> = {
    'an edited file that lands too': (folder) => writeFiles(folder, { 'src/a.ts': 'mine\n' }),
    'an edited file that does not land': (folder) => writeFiles(folder, { 'src/b.ts': 'mine\n' }),
    'a deleted file': (folder) => writeFiles(folder, { 'src/b.ts': null }),
    'a staged file': async (folder) => {
      await writeFiles(folder, { 'src/b.ts': 'mine\n' })
      await git(folder, ['add', 'src/b.ts'])
    },
    'an untracked file where a new one lands': (folder) => writeFiles(folder, { 'src/new/c.ts': 'mine\n' }),
    'an untracked file with a landing folder’s name': (folder) => writeFiles(folder, { 'src/new': 'mine\n' }),
    'an untracked folder where a file lands': (folder) => writeFiles(folder, { 'src/new/c.ts/deep': 'mine\n' }),
    'some files as they land and one that is mine': (folder) =>
      writeFiles(folder, { 'src/a.ts': 'landed\n', 'src/b.ts': 'mine\n' }),
    'a staged edit that is undone in the file': async (folder) => {
      await writeFiles(folder, { 'src/a.ts': 'mine\n' })
      await git(folder, ['add', 'src/a.ts'])
      await writeFiles(folder, { 'src/a.ts': 'landed\n' })
    },
  }
  test.each(Object.keys(edits))(
    'is refused for %s, which stays, and goes through once it is put aside',
    async (name) => {
      await using on = await prepareLanding()
      await edits[name]?.(on.hub.folder)
      const before = await on.hub.git('status', '--porcelain', '-uall')
      const told = await on.land()
      expect(told).toMatchObject({ kind: 'checked-out-dirty', folder: on.hub.folder })
      expect(told.kind === 'checked-out-dirty' && told.todo).toMatch(
        /commit or stash .*git stash --include-untracked.* gaffer land TASK/,
      )
      await on.expectUntouched()
      expect(await on.hub.git('status', '--porcelain', '-uall')).toBe(before)
      await on.hub.git('stash', '--include-untracked')
      expect(await on.land()).toEqual({ kind: 'pushed' })
      await on.expectLanded()
    },
  )

  test('goes through while another branch is checked out, edits and all', async () => {
    await using on = await prepareLanding()
    await on.hub.git('checkout', '--quiet', '-b', 'mine')
    await writeFiles(on.hub.folder, { 'src/a.ts': 'mine\n' })
    expect(await on.land()).toEqual({ kind: 'pushed' })
    expect(await on.inHub('src/a.ts')).toBe('mine\n')
  })

  test('waits for a rebase of that branch, in a linked tree too', async () => {
    await using on = await prepareLanding()
    const linked = join(on.path, 'linked')
    await on.hub.git('checkout', '--quiet', '-b', 'mine')
    await on.hub.git('worktree', 'add', '--quiet', linked, 'main')
    const stop = { env: { GIT_SEQUENCE_EDITOR: 'sed -i s/pick/edit/' } }
    for (const folder of [linked, on.hub.folder]) {
      await git(folder, ['rebase', '--quiet', '--interactive', '--root'], stop).catch(() => undefined)
      expect(await git(folder, ['status', '--porcelain'])).toBe('')
      expect(await on.land()).toMatchObject({
        kind: 'checked-out-dirty',
        folder,
        todo: expect.stringContaining('rebase'),
      })
      await git(folder, ['rebase', '--abort'])
      await git(linked, ['checkout', '--quiet', '--detach'])
      await on.hub.git('checkout', '--quiet', 'main')
    }
    expect(await on.land()).toEqual({ kind: 'pushed' })
    await on.expectLanded()
  })

  test('goes through with a detached head', async () => {
    await using on = await prepareLanding()
    await on.hub.git('checkout', '--quiet', '--detach')
    expect(await on.land()).toEqual({ kind: 'pushed' })
    expect(await on.hub.head('HEAD')).toBe(on.main)
  })

  test('moves a clean checkout whatever the repository says of plain pushes', async () => {
    await using on = await prepareLanding()
    await on.hub.git('config', 'receive.denyCurrentBranch', 'refuse')
    expect(await on.land()).toEqual({ kind: 'pushed' })
    await on.expectLanded()
  })
})

describe('a push that died in the middle', () => {
  /** What `git push` does to the files before it moves the ref. */
  const moveFiles = (folder: string, to: CommitSha): Promise<string> =>
    git(folder, ['read-tree', '-u', '-m', 'HEAD', to])

  test('after the files had moved is finished', async () => {
    await using on = await prepareLanding()
    await on.repository.push([{ ref: 'refs/heads/other', from: null, to: on.to }]) // so that the hub has the objects
    await moveFiles(on.hub.folder, on.to)
    expect(await on.hub.git('status', '--porcelain')).not.toBe('')
    expect(await on.land()).toEqual({ kind: 'pushed' })
    await on.expectLanded()
  })

  test('while files were moving is finished, however far it got', async () => {
    const steps: readonly Files[] = [
      { 'src/a.ts': 'landed\n' },
      { 'src/new/c.ts': 'new\n' },
      { 'README.md': null },
      { 'src/a.ts': 'landed\n', 'src/new/c.ts': 'new\n', 'README.md': null },
    ]
    for (const step of steps) {
      await using on = await prepareLanding()
      await writeFiles(on.hub.folder, step)
      expect(await on.land()).toEqual({ kind: 'pushed' })
      await on.expectLanded()
    }
  })

  test('and left files that were edited since is told as dirty, and nothing is lost', async () => {
    await using on = await prepareLanding()
    await on.repository.push([{ ref: 'refs/heads/other', from: null, to: on.to }])
    await moveFiles(on.hub.folder, on.to)
    await writeFiles(on.hub.folder, { 'src/new/c.ts': 'edited after\n' })
    expect(await on.land()).toMatchObject({ kind: 'checked-out-dirty' })
    expect(await on.inHub('src/new/c.ts')).toBe('edited after\n')
    await on.expectUntouched()
  })

  test('and left the index locked is told by the name of the file, and goes on once that is gone', async () => {
    await using on = await prepareLanding()
    const lock = join(on.hub.folder, '.git/index.lock')
    await writeFile(lock, '')
    await expect(on.land()).rejects.toMatchObject({
      code: 'repository-locked',
      retryable: true,
      hint: expect.stringContaining(lock),
    })
    await on.expectUntouched()
    await rm(lock)
    expect(await on.land()).toEqual({ kind: 'pushed' })
    await on.expectLanded()
  })

  test('and left the ref locked is told the same way', async () => {
    await using on = await prepareLanding()
    const lock = join(on.hub.folder, '.git/refs/heads/side.lock')
    await writeFile(lock, '')
    const side = { ref: 'refs/heads/side', from: null, to: on.to }
    await expect(on.repository.push([side])).rejects.toMatchObject({
      code: 'repository-locked',
      hint: expect.stringContaining(lock),
    })
    await rm(lock)
    expect(await on.repository.push([side])).toEqual({ kind: 'pushed' })
  })

  test('after the ref had moved is simply pushed', async () => {
    await using on = await prepareLanding()
    await on.land()
    expect(await on.land()).toEqual({ kind: 'pushed' })
    await on.hub.commit({ later: 'x' })
    expect(await on.land()).toMatchObject({ kind: 'moved', ref: 'refs/heads/main' })
  })
})

describe('linked working trees of the hub', () => {
  test('move along when clean, refuse when dirty', async () => {
    await using on = await prepareLanding()
    const linked = join(on.path, 'linked tree')
    await on.hub.git('checkout', '--quiet', '-b', 'mine')
    await on.hub.git('worktree', 'add', '--quiet', linked, 'main')
    await writeFiles(linked, { 'src/b.ts': 'mine\n' })
    expect(await on.land()).toMatchObject({ kind: 'checked-out-dirty', folder: linked })
    await git(linked, ['checkout', '--quiet', '.'])
    expect(await on.land()).toEqual({ kind: 'pushed' })
    expect(await git(linked, ['status', '--porcelain'])).toBe('')
    expect(await readFile(join(linked, 'src/new/c.ts'), 'utf8')).toBe('new\n')
  })

  test('of a bare hub do the same', async () => {
    await using on = await openTestRepository({ files: begun })
    const linked = join(on.path, 'linked')
    await on.hub.git('worktree', 'add', '--quiet', linked, 'main')
    const to = await on.change(on.main, landing)
    const update = { ref: 'refs/heads/main', from: on.main, to }
    await writeFiles(linked, { 'src/a.ts': 'mine\n' })
    const told = await on.repository.push([update])
    expect(told).toMatchObject({ kind: 'checked-out-dirty', folder: linked })
    await git(linked, ['checkout', '--quiet', '.'])
    expect(await on.repository.push([update])).toEqual({ kind: 'pushed' })
    expect(await git(linked, ['status', '--porcelain'])).toBe('')
  })

  test('whose folder is gone do not stop a landing for good', async () => {
    await using on = await prepareLanding()
    const linked = join(on.path, 'linked')
    await on.hub.git('checkout', '--quiet', '-b', 'mine')
    await on.hub.git('worktree', 'add', '--quiet', linked, 'main')
    await rm(linked, { recursive: true })
    const told = await on.land()
    expect(['pushed', 'refused']).toContain(told.kind)
    await on.hub.git('worktree', 'prune')
    expect(await on.land()).toEqual({ kind: 'pushed' })
  })
})

describe('a hub that says no', () => {
  test.each(['pre-receive', 'update'])('by its %s hook is refused, in its words, and nothing moves', async (name) => {
    await using on = await openTestRepository({ files: begun })
    const to = await on.change(on.main, landing)
    await writeHook(on, name, 'echo "main is frozen until Monday" >&2; echo "ask on 555" ; exit 1')
    const told = await on.repository.push([{ ref: 'refs/heads/main', from: on.main, to }])
    expect(told).toMatchObject({ kind: 'refused', message: expect.stringContaining('main is frozen until Monday\n') })
    expect(await on.hub.head('main')).toBe(on.main)
    expect(await on.repository.head('refs/heads/main')).toBe(on.main)
  })

  test('by its own settings is refused', async () => {
    await using on = await openTestRepository({ files: begun })
    const to = await on.change(on.main, landing)
    await on.hub.git('config', 'receive.denyNonFastForwards', 'true')
    await on.repository.push([{ ref: 'refs/heads/main', from: on.main, to }])
    const back = await on.repository.push([{ ref: 'refs/heads/main', from: to, to: on.main }])
    expect(back).toMatchObject({ kind: 'refused' })
    expect(await on.hub.head('main')).toBe(to)
  })

  test('about one ref keeps the other where it is', async () => {
    await using on = await openTestRepository({ files: begun })
    const to = await on.change(on.main, landing)
    await writeHook(on, 'update', 'test "$1" != refs/heads/main')
    const both = [
      { ref: 'refs/gaffer/evidence', from: null, to },
      { ref: 'refs/heads/main', from: on.main, to },
    ]
    expect(await on.repository.push(both)).toMatchObject({ kind: 'refused' })
    expect(await on.hub.head('refs/gaffer/evidence')).toBeUndefined()
  })

  test('of a person’s own repository runs its hooks too, with a path and a home', async () => {
    await using on = await prepareLanding()
    await writeHook(
      on,
      'post-receive',
      `cat > ${join(on.path, 'seen')}; command -v git >> ${join(on.path, 'seen')}; test -n "$HOME"`,
    )
    await writeHook(on, 'pre-receive', 'git rev-parse HEAD >&2 && git status --porcelain -- "*.ts" >&2')
    expect(await on.land()).toEqual({ kind: 'pushed' })
    expect(await readFile(join(on.path, 'seen'), 'utf8')).toMatch(
      new RegExp(`^${on.main} ${on.to} refs/heads/main\n/.*git\n$`),
    )
  })

  test('through a push-to-checkout hook keeps its files', async () => {
    await using on = await prepareLanding()
    await writeHook(on, 'push-to-checkout', 'exit 1')
    expect(await on.land()).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('push-to-checkout hook declined'),
    })
    expect(await on.hub.git('status', '--porcelain')).toBe('')
    await on.expectUntouched()
  })
})

describe('hubs at the edge', () => {
  test('an unborn main is pushed to from nothing, bare or checked out', async () => {
    for (const hub of ['bare', 'own'] as const) {
      await using on = await openTestRepository({ files: begun, hub })
      const empty = join(on.path, 'empty')
      await mkdir(empty)
      await git(empty, ['init', '--quiet', '--initial-branch=main', ...(hub === 'bare' ? ['--bare'] : [])])
      const repository = await on.repositories.open(empty)
      expect(await repository.head('refs/heads/main')).toBeUndefined()
      const tree = await repository.edit(null, { 'README.md': 'first\n' })
      const who = { name: 'A', email: 'a@example.com' }
      const first = await repository.commit({
        tree,
        parents: [],
        message: 'm',
        author: who,
        committer: who,
        at: '2026-01-01T00:00:00Z',
      })
      expect(await repository.push([{ ref: 'refs/heads/main', from: null, to: first }])).toEqual({ kind: 'pushed' })
      expect(await repository.resolve('HEAD')).toBe(first)
      expect(await git(empty, hub === 'bare' ? ['rev-parse', 'main'] : ['status', '--porcelain'])).toBe(
        hub === 'bare' ? first : '',
      )
      await repository.close()
    }
  })

  test('what is pushed and is not there is a fault', async () => {
    await using on = await openTestRepository({ files: begun })
    const missing = { ref: 'refs/heads/x', from: null, to: commitSha('1'.repeat(40)) }
    await expect(on.repository.push([missing])).rejects.toMatchObject({ code: 'git-failed' })
  })

  test('a hub that went away cannot be reached', async () => {
    await using on = await openTestRepository({ files: begun })
    const to = await on.change(on.main, landing)
    await rm(on.hub.folder, { recursive: true })
    await expect(on.repository.push([{ ref: 'refs/heads/main', from: on.main, to }])).rejects.toMatchObject({
      code: 'hub-unreachable',
    })
    await expect(on.repository.fetch()).rejects.toMatchObject({ code: 'hub-unreachable' })
  })
})
