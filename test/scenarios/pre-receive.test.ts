import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { commitSha } from '../../src/domain/ids.ts'
import { paths, refs } from '../../src/domain/settings.ts'
import { installHook } from '../../src/own/install-hook.ts'
import { judgePush } from '../../src/own/pre-receive.ts'
import { pushLanding } from '../../src/own/push-landing.ts'
import { verify } from '../../src/own/verify.ts'
import {
  buildTask,
  gaffer,
  landSigned,
  landTask,
  makeTeam,
  prepareSigned,
  resetTeam,
  signTask,
  type Team,
} from '../landed-chain.ts'
import { git, makeBareHub, makeRepository, type TestRepository } from '../repositories.ts'

/**
 * A hub with the hook in place: git itself calls it, as a process of its own, with the pushed objects in quarantine.
 */
let team: Team
let clone: TestRepository
beforeAll(async () => {
  team = await makeTeam()
  const source = (path: string): string => join(import.meta.dirname, '..', '..', 'src', path)
  const program = join(team.place.path, 'hook.ts')
  await writeFile(
    program,
    `import { text } from 'node:stream/consumers'
import { createRepositories } from ${JSON.stringify(source('adapters/git/repositories.ts'))}
import { judgePush } from ${JSON.stringify(source('own/pre-receive.ts'))}
if (process.argv.slice(2).join(' ') !== 'hook pre-receive') process.exit(2)
const history = await createRepositories({ folder: '/nonexistent' }).inspect(process.cwd())
const verdict = await judgePush(history, await text(process.stdin))
if (verdict.kind === 'refused') for (const line of verdict.lines) console.error(line)
process.exit(verdict.kind === 'allowed' ? 0 : 1)
`,
  )
  await installHook(team.hub.folder, [process.execPath, '--disable-warning=ExperimentalWarning', program])
  const folder = join(team.place.path, 'clone')
  await git(team.place.path, ['clone', '--quiet', team.hub.folder, folder])
  clone = {
    ...(await makeRepository({ folder: join(team.place.path, 'empty') })),
    folder,
    git: (...args) => git(folder, args),
  }
})
/** What only sets the scene is not what the hook is asked about. */
async function offDuty<T>(work: () => Promise<T>): Promise<T> {
  await team.hub.git('config', 'core.hooksPath', '/nonexistent')
  try {
    return await work()
  } finally {
    await team.hub.git('config', '--unset', 'core.hooksPath')
  }
}
beforeEach(async () => {
  await resetTeam(team)
  await clone.git('fetch', '--quiet', '--prune', 'origin', '+refs/heads/*:refs/remotes/origin/*')
  await clone.git('checkout', '--quiet', '-B', 'main', 'origin/main')
})
afterAll(() => team[Symbol.asyncDispose]())

const commit = async (files: Record<string, string>, message = 'chore: by hand'): Promise<string> => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(clone.folder, path, '..'), { recursive: true })
    await writeFile(join(clone.folder, path), text)
  }
  await clone.git('add', '--all')
  await clone.git('commit', '--quiet', '--allow-empty', '-m', message)
  return clone.git('rev-parse', 'HEAD')
}

describe('a hub with the hook', () => {
  it('lets landings through, with their evidence in the same push', async () => {
    const moved = await offDuty(async () => signTask(team, await buildTask(team)))
    await landTask(team, { id: 'mend-order-8m3' })
    await landSigned(team, moved)
    expect((await verify(await team.repositories.inspect(team.hub.folder))).ok).toBe(true)
  })

  it('lets every other branch through', async () => {
    await commit({ 'a.txt': 'work\n' })
    await clone.git('push', '--quiet', 'origin', 'HEAD:refs/heads/work')
    expect(await team.hub.head('work')).toBeDefined()
  })

  it("refuses somebody's own commit on the protected branch, and says why", async () => {
    const sha = await commit({ 'a.txt': 'by hand\n' })
    const push = clone.git('push', 'origin', 'HEAD:main')
    await expect(push).rejects.toThrow(new RegExp(`${sha.slice(0, 12)} bypass: the evidence has no landing statement`))
    await expect(push).rejects.toThrow(/refs\/heads\/main is protected/)
    expect(await team.hub.head('main')).toBe(team.adopted)
  })

  it('refuses a signed commit that comes without its evidence', async () => {
    const sha = await offDuty(async () => {
      const { task } = await signTask(team, await buildTask(team))
      await team.repository.push([{ ref: 'refs/heads/candidate', from: null, to: task.candidate.commit }])
      return task.candidate.commit
    })
    await clone.git('fetch', '--quiet', 'origin', 'candidate')
    await expect(clone.git('push', 'origin', `${sha}:refs/heads/main`)).rejects.toThrow(/tampered: it names a task/)
  })

  it('refuses to forget or rewrite what landed', async () => {
    const { commit: sha } = await offDuty(() => landTask(team))
    await clone.git('fetch', '--quiet', 'origin', 'main')
    await expect(clone.git('push', '--force', 'origin', `${team.adopted}:refs/heads/main`)).rejects.toThrow(
      /forward only/,
    )
    await expect(clone.git('push', 'origin', ':refs/heads/main')).rejects.toThrow(/not deleted|deletion/)
    await clone.git('checkout', '--quiet', sha)
    await clone.git('commit', '--quiet', '--amend', '-m', 'feat: mine')
    await expect(clone.git('push', '--force', 'origin', 'HEAD:refs/heads/main')).rejects.toThrow(/forward only/)
    expect(await team.hub.head('main')).toBe(sha)
  })

  it('refuses a merge whose first parent is not what stands there', async () => {
    const side = await commit({ 'side.txt': 'x\n' })
    const { commit: landed } = await offDuty(() => landTask(team))
    await clone.git('fetch', '--quiet', 'origin', 'main')
    await clone.git('checkout', '--quiet', side)
    await clone.git('merge', '--quiet', '--no-edit', landed)
    await expect(clone.git('push', 'origin', 'HEAD:refs/heads/main')).rejects.toThrow(/forward only/)
    await clone.git('checkout', '--quiet', landed)
    await clone.git('merge', '--quiet', '--no-edit', '--no-ff', side)
    await expect(clone.git('push', 'origin', 'HEAD:refs/heads/main')).rejects.toThrow(/merge commit/)
  })

  it('refuses evidence that forgets, changes or is deleted', async () => {
    const { prepared } = await offDuty(() => landTask(team))
    const [path = ''] = Object.keys(prepared.files)
    await clone.git('fetch', '--quiet', 'origin', `+${refs.evidence}:${refs.evidence}`)
    const head = await clone.git('rev-parse', refs.evidence)
    await expect(clone.git('push', 'origin', `:${refs.evidence}`)).rejects.toThrow(/only grows/)
    await expect(clone.git('push', '--force', 'origin', `${head}^:${refs.evidence}`)).rejects.toThrow(/only grows/)
    await clone.git('checkout', '--quiet', refs.evidence)
    const changed = await commit({ [path]: 'edited\n' })
    await expect(clone.git('push', 'origin', `${changed}:${refs.evidence}`)).rejects.toThrow(
      new RegExp(`changes or removes ${path}`),
    )
    await clone.git('checkout', '--quiet', head)
    const added = await commit({ 'tasks/aa/other-task-aaa/x/brief.json': '{}' })
    await clone.git('push', '--quiet', 'origin', `${added}:${refs.evidence}`)
    expect(await team.hub.head(refs.evidence)).toBe(added)
  })

  it('cannot be talked out of it by the change itself', async () => {
    await commit({ [paths.settings]: `${gaffer}branch: other\n` })
    await expect(clone.git('push', 'origin', 'HEAD:main')).rejects.toThrow(/refs\/heads\/main is protected/)
  })

  it('takes over a whole repository that verifies, and none that does not', async () => {
    await offDuty(() => landTask(team))
    const hook = join(team.hub.folder, 'hooks', 'pre-receive')
    const mirror = await makeBareHub({ folder: join(team.place.path, 'mirror.git') })
    await mirror.git('config', 'core.hooksPath', join(hook, '..'))
    const both = ['refs/heads/main:refs/heads/main', `${refs.evidence}:${refs.evidence}`]
    await expect(team.hub.git('push', '--quiet', mirror.folder, both[0] ?? '')).rejects.toThrow(/is not here/)
    await team.hub.git('push', '--quiet', '--atomic', mirror.folder, ...both)
    expect(await mirror.head('main')).toBe(await team.hub.head('main'))
  })

  it('does not stand in the way before Gaffer is adopted, and does from then on', async () => {
    const [before] = (await team.repository.commitInfo(team.adopted)).parents
    await team.hub.git('update-ref', 'refs/heads/main', before ?? '')
    await clone.git('checkout', '--quiet', before ?? '')
    await commit({ 'a.txt': 'early\n' })
    await clone.git('push', '--quiet', 'origin', 'HEAD:main')
    await clone.git('cherry-pick', team.adopted)
    const adoption = await clone.git('rev-parse', 'HEAD')
    await commit({ 'a.txt': 'late\n' })
    await expect(clone.git('push', 'origin', 'HEAD:main')).rejects.toThrow(/bypass/)
    await clone.git('push', '--quiet', 'origin', `${adoption}:main`)
    expect(await team.hub.head('main')).toBe(adoption)
  })
})

describe('the judgement of a push', () => {
  it('refuses input that is not what git writes, whatever it is', async () => {
    const history = await team.repositories.inspect(team.hub.folder)
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), async (input) => {
        fc.pre(input.replaceAll('\n', '') !== '')
        expect((await judgePush(history, input)).kind).toBe('refused')
      }),
    )
    const zero = '0'.repeat(40)
    expect((await judgePush(history, `${zero} ${zero} refs/heads/main\n`)).kind).toBe('refused')
    expect((await judgePush(history, '')).kind).toBe('allowed')
  })

  it('refuses what it cannot find out', async () => {
    const history = await team.repositories.inspect(team.hub.folder)
    const unknown = commitSha('e'.repeat(40))
    expect(await judgePush(history, `${team.adopted} ${unknown} refs/heads/main\n`)).toMatchObject({
      kind: 'refused',
      lines: [expect.stringContaining('could not be verified'), expect.any(String)],
    })
  })

  it('goes by the evidence of the push, and by what stands there when the push has none', async () => {
    const ready = await offDuty(async () => {
      const prepared = await prepareSigned(team, await signTask(team, await buildTask(team)))
      await pushLanding(team.repository, prepared.prepared)
      return prepared
    })
    const evidence = (await team.hub.head(refs.evidence)) ?? ''
    await team.hub.git('update-ref', 'refs/heads/main', team.adopted)
    const history = await team.repositories.inspect(team.hub.folder)
    const main = `${team.adopted} ${ready.prepared.attempt.commit} refs/heads/main\n`
    expect(await judgePush(history, main)).toEqual({ kind: 'allowed' })
    await team.hub.git('update-ref', '-d', refs.evidence)
    expect((await judgePush(history, main)).kind).toBe('refused')
    expect(await judgePush(history, `${'0'.repeat(40)} ${evidence} ${refs.evidence}\n${main}`)).toEqual({
      kind: 'allowed',
    })
  })
})
