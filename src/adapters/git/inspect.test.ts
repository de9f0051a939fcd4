import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { History } from '../../ports/repository.ts'
import { openTestRepository } from '../../../test/open-repository.ts'
import {
  git,
  gitTestEnv,
  makeBareHub,
  makeRepository,
  temporaryFolder,
  writeFiles,
} from '../../../test/repositories.ts'
import { createRepositories } from './repositories.ts'

const begun = { 'README.md': 'x\n', 'src/a.ts': 'a\n' }
const inspect = (folder: string): Promise<History> => createRepositories({ folder: '/nonexistent' }).inspect(folder)

describe('a repository that is inspected in place', () => {
  test('is found from its top, a folder below, a linked tree, a bare one and its own git folder', async () => {
    await using place = await temporaryFolder()
    const team = await makeRepository({ folder: join(place.path, 'te am\n'), files: begun })
    const bare = await makeBareHub({ folder: join(place.path, 'bare.git'), from: team })
    const linked = join(place.path, 'linked')
    await team.git('worktree', 'add', '--quiet', '-b', 'side', linked)
    await symlink(team.folder, join(place.path, 'alias'))
    await git(linked, ['commit', '--quiet', '--allow-empty', '-m', 'side'])
    const folders = [
      team.folder,
      join(team.folder, 'src'),
      join(team.folder, '.git'),
      bare.folder,
      join(place.path, 'alias'),
    ]
    for (const folder of folders) {
      const history = await inspect(folder)
      expect(await history.resolve('HEAD')).toBe(await team.head('main'))
      expect(await history.head('refs/heads/main')).toBe(await team.head('main'))
    }
    const history = await inspect(linked)
    expect(await history.resolve('HEAD')).toBe(await team.head('side'))
    expect(await history.resolve('main')).toBe(await team.head('main'))
    expect(await history.resolve('HEAD~1')).toBe(await team.head('main'))
  })

  test('is not one where there is none', async () => {
    await using place = await temporaryFolder()
    for (const folder of [place.path, join(place.path, 'none')])
      await expect(inspect(folder)).rejects.toMatchObject({ code: 'not-a-repository' })
  })

  test('without a commit answers with nothing', async () => {
    await using place = await temporaryFolder()
    const empty = await makeRepository({ folder: join(place.path, 'empty') })
    const history = await inspect(empty.folder)
    expect(await history.resolve('HEAD')).toBeUndefined()
    expect(await history.head('refs/heads/main')).toBeUndefined()
  })

  test('is left exactly as it was, merges and patches included', async () => {
    await using place = await temporaryFolder()
    const team = await makeRepository({ folder: join(place.path, 'team'), files: begun })
    const main = await team.commit({ 'README.md': 'main\n' })
    await team.git('checkout', '--quiet', '-b', 'side', 'HEAD~1')
    const side = await team.commit({ 'src/a.ts': 'side\n' })
    const everything = async (): Promise<readonly string[]> =>
      (await readdir(team.folder, { recursive: true })).toSorted()
    const before = await everything()
    const history = await inspect(team.folder)
    const merged = await history.merge(main, side)
    expect(merged.kind).toBe('clean')
    expect(await history.patch(main, side, { maxBytes: 10_000 })).toContain('+side')
    await history.commits(null, side)
    await history.isAncestor(main, side)
    expect(await everything()).toEqual(before)
  })

  test('shows what its ids say: replacements, grafts and its settings do not count', async () => {
    await using place = await temporaryFolder()
    const team = await makeRepository({ folder: join(place.path, 'team'), files: begun })
    const honest = await team.commit({ 'README.md': 'honest\n' })
    const forged = await team.commit({ 'README.md': 'forged\n' })
    await team.git('replace', honest, forged)
    await team.git('config', 'core.bare', 'false')
    await team.git('config', 'diff.external', 'false')
    await team.git('config', 'core.fsmonitor', 'false')
    await team.git('config', 'diff.noprefix', 'true')
    await team.git('config', 'color.ui', 'always')
    await writeFiles(team.folder, { '.gitattributes': '* -diff merge=ours\n' })
    const history = await inspect(team.folder)
    expect(await history.read(honest, 'README.md')).toBe('honest\n')
    const parent = await history.resolve(`${honest}~1`)
    if (parent === undefined) throw new Error('no parent')
    expect(await history.patch(parent, honest, { maxBytes: 10_000 })).toContain('--- a/README.md\n+++ b/README.md\n')
  })

  test('a branch with the name of a ref is not that ref', async () => {
    await using place = await temporaryFolder()
    const team = await makeRepository({ folder: join(place.path, 'team'), files: begun })
    await team.git('update-ref', 'refs/heads/refs/gaffer/evidence', 'HEAD')
    expect(await (await inspect(team.folder)).head('refs/gaffer/evidence')).toBeUndefined()
  })

  test('of sha256 is read too', async () => {
    await using place = await temporaryFolder()
    const team = await makeRepository({ folder: join(place.path, 'team'), files: begun, objectFormat: 'sha256' })
    const history = await inspect(team.folder)
    const main = await history.resolve('main')
    if (main === undefined) throw new Error('no main')
    expect(main).toHaveLength(64)
    expect(await history.read(main, 'src/a.ts')).toBe('a\n')
    expect((await history.merge(main, main)).kind).toBe('clean')
  })
})

describe('inside a pre-receive hook', () => {
  test('the incoming objects are read, and another repository is not mixed up with this one', async () => {
    await using on = await openTestRepository({ files: begun })
    const other = await makeRepository({ folder: join(on.path, 'other'), files: { other: 'x' } })
    const script = join(on.path, 'hook.mjs')
    const seen = join(on.path, 'seen')
    await writeFile(
      script,
      `import { writeFileSync, readFileSync } from 'node:fs'
       const { createRepositories } = await import(${JSON.stringify(new URL('repositories.ts', import.meta.url).href)})
       const [from, to] = readFileSync(0, 'utf8').split(' ')
       const repositories = createRepositories({ folder: '/nonexistent' })
       const history = await repositories.inspect(process.cwd())
       const other = await repositories.inspect(${JSON.stringify(other.folder)})
       const merged = await history.merge(from, to)
       writeFileSync(${JSON.stringify(seen)}, JSON.stringify({
         text: await history.read(to, 'new'),
         commits: (await history.commits(from, to)).length,
         ancestor: await history.isAncestor(from, to),
         merged: merged.kind,
         patch: (await history.patch(from, to, { maxBytes: 1000 })).includes('+incoming'),
         main: await history.head('refs/heads/main') === from,
         resolved: await history.resolve(to) === to,
         other: await other.resolve('HEAD'),
         elsewhere: await other.resolve(to) ?? null,
       }))`,
    )
    await mkdir(join(on.hub.folder, 'hooks'), { recursive: true })
    await writeFile(join(on.hub.folder, 'hooks/pre-receive'), `#!/bin/sh\nexec ${process.execPath} ${script}\n`, {
      mode: 0o755,
    })
    const team = join(on.path, 'clone')
    await git(on.path, ['clone', '--quiet', on.hub.folder, team])
    await writeFiles(team, { new: 'incoming\n' })
    await git(team, ['add', '.'])
    await git(team, ['commit', '--quiet', '-m', 'x'])
    await promisify(execFile)('git', ['push', '--quiet', 'origin', 'HEAD:main'], { cwd: team, env: gitTestEnv })
    expect(JSON.parse(await readFile(seen, 'utf8'))).toEqual({
      text: 'incoming\n',
      commits: 1,
      ancestor: true,
      merged: 'clean',
      patch: true,
      main: true,
      resolved: true,
      other: await other.head('HEAD'),
      elsewhere: null,
    })
    expect(await git(on.hub.folder, ['fsck'])).toBe('')
  })
})
