import { execFile, execFileSync } from 'node:child_process'
import { chmod, chown, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { openTestRepository } from '../../../test/open-repository.ts'
import { git, makeBareHub, makeRepository, temporaryFolder, testPerson } from '../../../test/repositories.ts'
import { createRepositories } from './repositories.ts'

const runFile = promisify(execFile)
const begun = { 'README.md': 'x\n', 'src/a.ts': 'a\n' }
const code = (wanted: string) => expect.objectContaining({ name: 'Fault', code: wanted })

describe('opening a hub', () => {
  test.each([
    'relative/path',
    './x',
    '../x',
    '',
    '~/x',
    'C:\\x',
    '-x',
    '--upload-pack=touch /tmp/x',
    'file://host/x',
    'ext::sh -c true',
    'fd::3',
    'a\nb',
  ])('refuses the name %j', async (name) => {
    await using place = await temporaryFolder()
    await expect(createRepositories({ folder: place.path }).open(name)).rejects.toEqual(code('not-a-repository'))
  })

  test('says what is missing where there is no repository', async () => {
    await using place = await temporaryFolder()
    const repositories = createRepositories({ folder: join(place.path, 'stores') })
    await writeFile(join(place.path, 'file'), '')
    await mkdir(join(place.path, 'plain'))
    for (const name of ['none', 'file', 'plain'])
      await expect(repositories.open(join(place.path, name))).rejects.toMatchObject({
        code: 'not-a-repository',
        hint: expect.stringMatching(/./),
      })
  })

  test('refuses a URL with credentials, and does not repeat them', async () => {
    await using place = await temporaryFolder()
    const repositories = createRepositories({ folder: place.path })
    for (const url of [
      'https://ann:hunter22secret@example.com/x.git',
      'https://hunter22secret@example.com/x',
      'ssh://ann:hunter22secret@example.com/x',
    ]) {
      const fault: unknown = await repositories.open(url).catch((error: unknown) => error)
      expect(fault).toEqual(code('bad-input'))
      expect(JSON.stringify([fault, String(fault)])).not.toContain('hunter22secret')
    }
    expect(await readdir(place.path)).toEqual([])
  })

  test('cannot reach a remote that does not answer', async () => {
    await using place = await temporaryFolder()
    const repositories = createRepositories({ folder: place.path })
    await expect(repositories.open('http://127.0.0.1:1/x.git')).rejects.toMatchObject({
      code: 'hub-unreachable',
      retryable: true,
    })
    expect((await readdir(place.path)).filter((name) => name.endsWith('.git'))).toEqual([])
  })

  test('by any path to one repository shares one store', async () => {
    await using place = await temporaryFolder()
    const team = await makeRepository({ folder: join(place.path, 'team'), files: begun })
    await symlink(team.folder, join(place.path, 'alias'))
    await team.git('worktree', 'add', '--quiet', '--detach', join(place.path, 'linked'))
    const repositories = createRepositories({ folder: join(place.path, 'stores') })
    for (const name of ['team', 'alias', 'team/.git', 'linked', 'team/src']) {
      const repository = await repositories.open(join(place.path, name))
      expect(await repository.head('refs/heads/main')).toBe(await team.head('main'))
      await repository.close()
    }
    expect(await readdir(join(place.path, 'stores'))).toHaveLength(1)
  })

  test('without a commit has no heads; with one later, it has', async () => {
    await using place = await temporaryFolder()
    const hub = await makeBareHub({ folder: join(place.path, 'hub.git') })
    const repository = await createRepositories({ folder: join(place.path, 'stores') }).open(hub.folder)
    expect(await repository.head('refs/heads/main')).toBeUndefined()
    expect(await repository.resolve('HEAD')).toBeUndefined()
    const team = await makeRepository({ folder: join(place.path, 'team'), files: begun })
    await team.git('push', '--quiet', hub.folder, 'main')
    await repository.fetch()
    expect(await repository.resolve('HEAD')).toBe(await team.head('main'))
    await repository.close()
  })

  test('with a detached head resolves it', async () => {
    await using on = await openTestRepository({ files: begun, hub: 'own' })
    await on.hub.commit({ later: 'x' })
    await on.hub.git('checkout', '--quiet', '--detach', 'HEAD~1')
    await on.repository.fetch()
    expect(await on.repository.resolve('HEAD')).toBe(on.main)
  })

  test('works for somebody else’s repository', async (context) => {
    if (process.getuid?.() !== 0) context.skip('only root can make a repository that is somebody else’s')
    await using on = await openTestRepository({ files: begun, hub: 'own' })
    for (const entry of ['.', ...(await readdir(on.hub.folder, { recursive: true }))])
      await chown(join(on.hub.folder, entry), 65_534, 65_534)
    const again = await on.repositories.open(on.hub.folder)
    await again.fetch()
    const to = await on.change(on.main, { 'src/a.ts': 'landed\n' })
    expect(await again.push([{ ref: 'refs/heads/main', from: on.main, to }])).toEqual({ kind: 'pushed' })
    expect(await (await on.repositories.inspect(on.hub.folder)).head('refs/heads/main')).toBe(to)
    expect(await readFile(join(on.hub.folder, 'src/a.ts'), 'utf8')).toBe('landed\n')
    await again.close()
  })

  test('pays no heed to the environment and configuration around it', async () => {
    await using place = await temporaryFolder()
    const hub = await makeRepository({ folder: join(place.path, 'hub'), files: begun })
    const other = await makeRepository({ folder: join(place.path, 'other'), files: { other: 'x' } })
    const env = {
      ...process.env,
      GIT_DIR: other.folder,
      GIT_WORK_TREE: other.folder,
      GIT_INDEX_FILE: '/nonexistent',
      GIT_OBJECT_DIRECTORY: '/nonexistent',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.bare',
      GIT_CONFIG_VALUE_0: 'nonsense',
      GIT_CONFIG_PARAMETERS: "'nonsense",
      GIT_EXTERNAL_DIFF: 'false',
      GIT_TRACE: '1',
      LANG: 'de_DE.UTF-8',
    }
    const repository = await createRepositories({ folder: join(place.path, 'stores'), env }).open(hub.folder)
    expect(await repository.head('refs/heads/main')).toBe(await hub.head('main'))
    await repository.close()
  })
})

describe('the object store', () => {
  test('is private, holds the hub’s branches and Gaffer’s refs, and nothing is collected', async () => {
    await using on = await openTestRepository({ files: begun })
    const store = await on.store()
    expect(await store.git('for-each-ref', '--format=%(refname)')).toBe('refs/hub/heads/main')
    const loose = await on.change(on.main, { a: '1' })
    await on.hub.git('update-ref', 'refs/gaffer/evidence', 'main')
    await on.hub.git('tag', 'v1')
    await on.repository.fetch()
    expect(await store.git('for-each-ref', '--format=%(refname)')).toBe('refs/hub/gaffer/evidence\nrefs/hub/heads/main')
    expect((await on.repository.commitInfo(loose)).parents).toEqual([on.main])
  })

  test('keeps what was removed or rewritten on the hub', async () => {
    await using on = await openTestRepository({ files: begun })
    const to = await on.change(on.main, { a: '1' })
    await on.repository.push([{ ref: 'refs/heads/x', from: null, to }])
    await on.hub.git('branch', '-D', 'x')
    await on.repository.fetch()
    expect(await on.repository.head('refs/heads/x')).toBeUndefined()
    expect(await on.repository.read(to, 'a')).toBe('1')
  })

  test('a fetch with nothing new starts no fetch', async () => {
    await using on = await openTestRepository({ files: begun })
    // With a program for fetching that does not exist, only asking for refs can work.
    const store = await on.store()
    await store.git('config', 'remote.hub.uploadpack', '/nonexistent')
    await on.repository.fetch()
    expect(await on.repository.head('refs/heads/main')).toBe(on.main)
  })

  test('damaged, or of a hub that was made anew, is made anew', async () => {
    await using on = await openTestRepository({ files: begun })
    const store = await on.store()
    await on.repository.close()
    await rm(join(store.folder, 'HEAD'))
    const again = await on.repositories.open(on.hub.folder)
    expect(await again.read(on.main, 'README.md')).toBe('x\n')
    await again.close()
    await rm(on.hub.folder, { recursive: true })
    const team = await makeRepository({ folder: join(on.path, 'new team'), files: begun, objectFormat: 'sha256' })
    await makeBareHub({ folder: on.hub.folder, from: team })
    const anew = await on.repositories.open(on.hub.folder)
    expect(await anew.head('refs/heads/main')).toMatch(/^[0-9a-f]{64}$/)
    await anew.close()
  })

  test('locks that a killed git left in it are cleared', async () => {
    await using on = await openTestRepository({ files: begun })
    const store = await on.store()
    await on.hub.git('update-ref', 'refs/heads/later', 'main')
    const locks = [join(store.folder, 'refs/hub/heads/later.lock'), join(store.folder, 'packed-refs.lock')]
    for (const lock of locks) {
      await writeFile(lock, '')
      await utimes(lock, 1_000_000, 1_000_000)
    }
    await on.repository.fetch()
    expect(await on.repository.head('refs/heads/later')).toBe(on.main)
  })

  test('is used by several processes at once and stays sound', async () => {
    await using on = await openTestRepository({ files: begun })
    const script = `
      const { createRepositories } = await import(${JSON.stringify(new URL('repositories.ts', import.meta.url).href)})
      const [folder, hub, name] = process.argv.slice(1)
      const repository = await createRepositories({ folder }).open(hub)
      const who = { name, email: name + '@example.com' }
      const main = await repository.head('refs/heads/main')
      for (let round = 0; round < 5; round += 1) {
        const tree = await repository.edit(await repository.treeOf(main), { 'same.txt': 'same ' + round, [name]: String(round) })
        const to = await repository.commit({ tree, parents: [main], message: 'm', author: who, committer: who, at: '2026-01-01T00:00:00Z' })
        const pushed = await repository.push([{ ref: 'refs/heads/' + name + round, from: null, to }, { ref: 'refs/gaffer/' + name + round, from: null, to }])
        if (pushed.kind !== 'pushed') throw new Error(JSON.stringify(pushed))
        await repository.fetch()
        await repository.openWorkspace(folder + '/../' + name, to)
        if ((await repository.snapshot(folder + '/../' + name, to)).tree !== tree) throw new Error('another tree')
      }
      await repository.close()`
    const stores = join(on.path, 'stores')
    await rm(stores, { recursive: true }) // they also race to make it
    await Promise.all(
      ['ann', 'bob', 'eve'].map((name) =>
        runFile(process.execPath, ['--input-type=module', '-e', script, stores, on.hub.folder, name]),
      ),
    )
    const store = await on.store()
    expect(await store.git('fsck', '--strict', '--no-dangling')).toBe('')
    expect((await store.git('for-each-ref', 'refs/hub/heads')).split('\n')).toHaveLength(16)
    expect((await readdir(stores)).filter((name) => !name.endsWith('.git'))).toEqual([])
  })

  test('on a full disk says so', async (context) => {
    await using place = await temporaryFolder()
    const small = join(place.path, 'small')
    await mkdir(small)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', small], { stdio: 'ignore' })
    } catch {
      context.skip('this machine lets nobody mount a small disk')
    }
    try {
      const hub = await makeRepository({ folder: join(place.path, 'hub'), files: begun })
      const repository = await createRepositories({ folder: join(small, 'stores') }).open(hub.folder)
      const main = await repository.resolve('main')
      if (main === undefined) throw new Error('no main')
      const noise = (size: number): string =>
        Buffer.from(crypto.getRandomValues(new Uint8Array(size))).toString('latin1')
      const fill = async (): Promise<void> => {
        for (let round = 0; round < 100; round += 1) await repository.edit(null, { [`big${round}`]: noise(60_000) })
      }
      await expect(fill()).rejects.toMatchObject({ code: 'disk-full', retryable: true })
      await expect(repository.openWorkspace(join(small, 'space'), main)).rejects.toMatchObject({ code: 'disk-full' })
      await hub.commit({ more: noise(60_000) })
      await expect(repository.fetch()).rejects.toMatchObject({ code: 'disk-full' })
      await repository.close()
    } finally {
      execFileSync('umount', ['-l', small])
    }
  })
})

describe('a hub over ssh', () => {
  /** Stands for ssh: notes its arguments, and runs the command on this machine. */
  async function fakeSsh(
    folder: string,
  ): Promise<{ readonly env: NodeJS.ProcessEnv; readonly seen: () => Promise<string> }> {
    const script = join(folder, 'ssh')
    await writeFile(script, `#!/bin/sh\necho "$@" >> ${folder}/seen\nfor last; do :; done\nexec sh -c "$last"\n`)
    await chmod(script, 0o755)
    return {
      env: { ...process.env, GIT_SSH_COMMAND: script, GIT_SSH_VARIANT: 'simple' },
      seen: () => readFile(`${folder}/seen`, 'utf8'),
    }
  }

  test('is fetched, pushed to and asked, with the person’s own ssh', async () => {
    await using place = await temporaryFolder()
    const ssh = await fakeSsh(place.path)
    const team = await makeRepository({ folder: join(place.path, 'team'), files: begun })
    const hub = await makeBareHub({ folder: join(place.path, 'hub.git'), from: team })
    const repositories = createRepositories({ folder: join(place.path, 'stores'), env: ssh.env })
    for (const name of [`ssh://git.example.com${hub.folder}`, `git@git.example.com:${hub.folder}`]) {
      const repository = await repositories.open(name)
      const main = await repository.resolve('HEAD')
      if (main === undefined) throw new Error('no main')
      expect(main).toBe(await hub.head('main'))
      const who = { author: testPerson, committer: testPerson, at: '2026-01-01T00:00:00Z' }
      const tree = await repository.edit(await repository.treeOf(main), { [name.slice(0, 3)]: '1' })
      const to = await repository.commit({ tree, parents: [main], message: name, ...who })
      expect(await repository.push([{ ref: 'refs/heads/main', from: main, to }])).toEqual({ kind: 'pushed' })
      expect(await repository.push([{ ref: 'refs/heads/main', from: main, to }])).toEqual({ kind: 'pushed' })
      expect(await repository.push([{ ref: 'refs/heads/main', from: null, to: main }])).toMatchObject({
        kind: 'moved',
        actual: to,
      })
      await repository.fetch()
      expect(await repository.head('refs/heads/main')).toBe(to)
      await writeFile(join(hub.folder, 'hooks/update'), '#!/bin/sh\necho no >&2\nexit 1\n', { mode: 0o755 })
      expect(await repository.push([{ ref: 'refs/heads/x', from: null, to }])).toMatchObject({
        kind: 'refused',
        message: expect.stringMatching(/^no\n/),
      })
      await rm(join(hub.folder, 'hooks/update'))
      await repository.close()
    }
    expect(await ssh.seen()).toContain('git.example.com')
  })

  test('that breaks off cannot be reached', async () => {
    await using place = await temporaryFolder()
    const env = { ...process.env, GIT_SSH_COMMAND: 'false', GIT_SSH_VARIANT: 'simple' }
    const repositories = createRepositories({ folder: join(place.path, 'stores'), env })
    await expect(repositories.open('git@git.example.com:x.git')).rejects.toEqual(code('hub-unreachable'))
  })
})

describe('reading through one process', () => {
  test('goes on when that process is killed', async () => {
    await using on = await openTestRepository({ files: begun })
    const readers = (): readonly number[] => {
      const found = execFileSync('sh', [
        '-c',
        `for p in /proc/[0-9]*; do [ "$(readlink $p/cwd)" = "${on.path}/stores/"* ] || readlink $p/cwd | grep -q "^${on.path}/" && echo $p; done; true`,
      ])
      return found
        .toString()
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => Number(line.slice(6)))
    }
    expect(await on.repository.read(on.main, 'README.md')).toBe('x\n')
    for (let round = 0; round < 3; round += 1) {
      for (const pid of readers()) process.kill(pid, 'SIGKILL')
      const made = await on.change(on.main, { round: `${round}` })
      expect(await on.repository.read(made, 'round')).toBe(`${round}`)
    }
    await on.repository.close()
    expect(readers()).toEqual([])
  })

  test('answers many questions at once, large files among them', async () => {
    await using on = await openTestRepository({ files: begun })
    const files = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => [`d${at % 7}/f${at}`, `${at}`.repeat(at % 10 === 0 ? 100_000 : 3)]),
    )
    const tree = await on.repository.edit(null, files)
    const again = await on.repositories.open(on.hub.folder)
    const found = await Promise.all(Object.keys(files).map((path) => again.read(tree, path)))
    expect(found).toEqual(Object.values(files))
    await again.close()
  })

  test('gives no object whose bytes are not those of its name', async () => {
    await using on = await openTestRepository({ files: begun })
    const [one, two] = [await on.repository.edit(null, { a: 'one' }), await on.repository.edit(null, { a: 'two' })]
    const store = await on.store()
    const place = (sha: string): string => join(store.folder, 'objects', sha.slice(0, 2), sha.slice(2))
    await rm(place(one))
    await writeFile(place(one), await readFile(place(two)))
    const again = await on.repositories.open(on.hub.folder)
    await expect(again.list(one)).rejects.toEqual(code('git-failed'))
    await again.close()
  })

  test('does not keep a process alive that has nothing else to do', async () => {
    await using on = await openTestRepository({ files: begun })
    const script = `
      const { createRepositories } = await import(${JSON.stringify(new URL('repositories.ts', import.meta.url).href)})
      const history = await createRepositories({ folder: '/nonexistent' }).inspect(process.argv[1])
      console.log(await history.read(await history.resolve('HEAD'), 'README.md'))`
    const { stdout } = await runFile(process.execPath, ['--input-type=module', '-e', script, on.hub.folder], {
      timeout: 15_000,
    })
    expect(stdout).toBe('x\n\n')
  })
})

test('git that is not installed is said', async () => {
  await using place = await temporaryFolder()
  const hub = await makeRepository({ folder: join(place.path, 'hub'), files: begun })
  const repositories = createRepositories({ folder: join(place.path, 'stores'), env: { PATH: '/nonexistent' } })
  await expect(repositories.open(hub.folder)).rejects.toMatchObject({
    code: 'command-missing',
    hint: expect.stringContaining('install git'),
  })
  expect(await git(hub.folder, ['status', '--porcelain'])).toBe('')
})
