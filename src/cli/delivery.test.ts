import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { servedGaffer, type ServedGaffer } from '../../test/fakes/command-line.ts'
import { exampleBrief, maria } from '../../test/fakes/memory-gaffer.ts'
import { taskId, type TaskId } from '../domain/ids.ts'

const servers: ServedGaffer[] = []
const serve = async (options: Parameters<typeof servedGaffer>[0] = {}): Promise<ServedGaffer> => {
  const served = await servedGaffer(options)
  servers.push(served)
  return served
}
afterEach(async () => {
  for (const served of servers.splice(0)) await served[Symbol.asyncDispose]()
})

async function delegated(served: ServedGaffer, text?: string): Promise<TaskId> {
  const { task } = await served.json(['delegate', await served.brief(text), '--hub', '/srv/orders'])
  return taskId(String(task))
}
function makeKey(served: ServedGaffer): string {
  const key = join(served.folder, 'owner')
  const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'owner', '-f', key])
  expect(made.status).toBe(0)
  return key
}

describe('a delivery from the command line', () => {
  it('goes from the brief to the landing, each command saying what comes next', async () => {
    const served = await serve({ planApproval: true })
    const { gafferRun } = served
    const opened = await gafferRun(['delegate', await served.brief(), '--hub', '/srv/orders'])
    expect(opened).toMatchObject({ code: 0, stderr: '' })
    const id = /^opened (\S+)$/m.exec(opened.stdout)?.[1] ?? ''
    expect(opened.stdout).toContain(`look  gaffer watch ${id}`)

    const plan = await gafferRun(['plan', id])
    expect(plan.stdout).toContain('step-1')
    expect(plan.stdout).toContain(`gaffer plan ${id} --approve`)
    expect((await gafferRun(['plan', id, '--revise', 'smaller steps'])).stdout).toContain(`sent the plan of ${id} back`)
    expect((await gafferRun(['plan', id, '--approve'])).stdout).toContain(`look  gaffer review ${id}`)

    const review = await gafferRun(['review', id])
    expect(review.stdout).toContain('claims by the agent (not evidence)')
    expect(review.stdout).toContain('passed  tests  tests 12')
    expect(review.stdout).toContain('+export const fresh = 2')
    expect((await gafferRun(['review', id, '--unit', 'step-2', '--request-changes', 'name it better'])).code).toBe(0)
    expect((await gafferRun(['review', id, '--accept'])).stdout).toContain('signs')

    const key = makeKey(served)
    const signed = await gafferRun(['sign', id, '--key', key, '--non-interactive'])
    expect(signed).toMatchObject({ code: 0, stderr: '' })
    expect(signed.stdout).toContain('evidence of 2 gates about this very tree')
    expect(signed.stdout).toMatch(/contracts\s+passed/)
    expect(signed.stdout).toContain('gaffer verify')
    expect((await served.gaffer.task(taskId(id)))?.task.state).toBe('landed')
    expect((await gafferRun(['watch', id, '--until', 'landed'])).code).toBe(0)
  })

  it('hands in a signature over the exact statement, which ssh-keygen finds good', async () => {
    const served = await serve()
    const id = await delegated(served)
    await served.gaffer.acceptUnit(id, null, maria)
    const key = makeKey(served)
    expect((await served.gafferRun(['sign', id, '--key', key, '--yes'])).code).toBe(0)

    const task = (await served.gaffer.task(id))?.task
    if (task?.state !== 'landed') throw new Error(`${task?.state}`)
    const signers = join(served.folder, 'signers')
    const signature = join(served.folder, 'signature')
    await writeFile(signers, `maria@example.com ${await readFile(`${key}.pub`, 'utf8')}`)
    await writeFile(signature, task.signature.armoured)
    const verify = (input: string) =>
      spawnSync(
        'ssh-keygen',
        ['-Y', 'verify', '-n', 'gaffer-sign-off', '-I', 'maria@example.com', '-f', signers, '-s', signature],
        { input },
      ).status
    expect(verify(task.candidate.statement)).toBe(0)
    expect(verify(`${task.candidate.statement} `)).not.toBe(0)
  })

  it('shows what happens while it waits, each catch in one line, and ends where a person is needed', async () => {
    const served = await serve()
    const ended = await served.gafferRun(['delegate', await served.brief(), '--hub', '/srv/orders', '--wait'])
    expect(ended.code).toBe(0)
    expect(ended.stdout).toMatch(/^caught\s+contracts {2}test\/contract\/orders\.test\.ts was changed: put it back$/m)
    expect(ended.stdout).toMatch(/is reviewing\nnext {2}review 2 units\nlook {2}gaffer review \S+\n$/)
  })

  it('follows what happens from elsewhere until the task has come as far as asked', async () => {
    const served = await serve()
    const id = await delegated(served)
    const watching = served.gafferRun(['watch', id, '--until', 'landed'])
    await served.gaffer.acceptUnit(id, null, maria)
    const task = (await served.gaffer.task(id))?.task
    if (task?.state !== 'reviewing' || task.candidate === null) throw new Error('no candidate')
    const armoured = '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n'
    await served.gaffer.sign(id, { candidate: task.candidate.commit, armoured }, maria)
    const ended = await watching
    expect(ended.code).toBe(0)
    expect(ended.stdout.match(/^(\w+)/gm)).toContain('signed')
    expect(ended.stdout).toContain(`${id} is landed`)
  })

  it('goes on where it was when the server comes back, and misses and repeats nothing', async () => {
    const served = await serve({ planApproval: true })
    const id = await delegated(served)
    const watching = served.gafferRun(['watch', id, '--until', 'reviewing', '--json'])
    await expect.poll(() => served.following(), { timeout: 20_000 }).toBe(1)
    await served.stop()
    await served.gaffer.approvePlan(id, maria)
    await served.start()
    const { code, stdout } = await watching
    expect(code).toBe(0)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { position?: number })
    const stored = await served.gaffer.log(id)
    expect(lines.slice(0, -1).map(({ position }) => position)).toEqual(stored.map(({ position }) => position))
  })

  it('ends with 1 when what it watches is given up', async () => {
    const served = await serve({ planApproval: true })
    const id = await delegated(served)
    const watching = served.gafferRun(['watch', id, '--until', 'landed'])
    expect((await served.gafferRun(['abandon', id, '--because', 'not needed'])).code).toBe(0)
    expect((await watching).code).toBe(1)
  })

  it('writes one JSON event a line with --json, and the task last', async () => {
    const served = await serve()
    const id = await delegated(served)
    const { stdout } = await served.gafferRun(['watch', id, '--json'])
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(
      lines.slice(0, -1).every((line) => typeof line['position'] === 'number' && Array.isArray(line['lines'])),
    ).toBe(true)
    expect(lines.at(-1)).toMatchObject({ end: { row: { id, state: 'reviewing' } } })
  })

  it('opens one task for one key', async () => {
    const served = await serve()
    const file = await served.brief()
    const argv = ['delegate', file, '--hub', '/srv/orders', '--once', 'nightly-0001']
    const [first, second] = [await served.json(argv), await served.json(argv)]
    expect(second['task']).toBe(first['task'])
  })

  it('answers what blocks a task, with or without a word', async () => {
    const served = await serve({ planApproval: true })
    const id = await delegated(served)
    const block = () =>
      served.gaffer.apply(id, {
        type: 'block',
        reason: { kind: 'agent-asks', question: 'Which table?' },
        unblocks: 'say which',
        actor: { kind: 'system', part: 'workflow' },
      })
    await block()
    const watched = await served.gafferRun(['watch', id])
    expect(watched.code).toBe(1)
    expect(watched.stdout).toContain('the agent asks: Which table?')
    expect((await served.gafferRun(['answer', id, 'the orders table'])).code).toBe(0)
    await block()
    expect((await served.gafferRun(['answer', id])).code).toBe(0)
    const answers = (await served.gaffer.log(id))
      .map(({ event }) => event)
      .filter((event) => JSON.stringify(event).includes('unblocked'))
    expect(answers).toMatchObject([
      { type: 'unblocked', guidance: 'the orders table' },
      { type: 'unblocked', guidance: null },
    ])
  })
})

describe('what is refused', () => {
  it('ends with 1 and says what, why and what to do', async () => {
    const served = await serve()
    const id = await delegated(served)
    for (const argv of [
      ['plan', id, '--approve'],
      ['land', id],
      ['status', 'no-such-task'],
      ['review', id, '--unit', 'step-9'],
      ['answer', id, 'x'],
    ]) {
      const { code, stdout, stderr } = await served.gafferRun(argv)
      expect([argv, code]).toEqual([argv, 1])
      expect(stdout).toBe('')
      expect(stderr).toMatch(/^error {2}\S.*\nwhy {4}\S.*\nto do {2}\S/)
    }
  })

  it('lists every error of a brief with its line', async () => {
    const served = await serve()
    const file = await served.brief(
      exampleBrief().replace('owner: maria@example.com\n', '').replace('## Outcome', '## Outcomes'),
    )
    const { code, stderr } = await served.gafferRun(['delegate', file, '--hub', '/srv/orders'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/error {2}line \d+ {2}/)
    expect(stderr).toContain('gaffer brief check')
  })

  it.each([
    ['is not there', async () => 'nothing.md'],
    ['is a folder', async () => '.'],
    ['is enormous', async (served: ServedGaffer) => served.brief('x'.repeat(300_000))],
  ])('ends with 2 for a brief that %s', async (_, make) => {
    const served = await serve()
    const { code, stderr } = await served.gafferRun(['delegate', await make(served), '--hub', '/srv/orders'])
    expect(code).toBe(2)
    expect(stderr).toContain('cannot be read as a brief')
  })

  it('delegates into the repository one stands in, and says so outside of one', async () => {
    const served = await serve()
    const file = await served.brief()
    expect((await served.gafferRun(['delegate', file])).stderr).toContain('--hub')
    spawnSync('git', ['init', '--quiet', served.folder])
    const { task } = await served.json(['delegate', file])
    expect((await served.gaffer.task(taskId(String(task))))?.task.hub).toBe(served.folder)
  })
})

it('a task that is opened where nothing confines agents says so, to people and to programs', async () => {
  const why = 'there is no bubblewrap'
  const served = await serve({ protection: { kind: 'unconfined', why, todo: 'install it' } })
  const argv = ['delegate', await served.brief(), '--hub', '/srv/orders']
  expect((await served.gafferRun(argv)).stdout).toContain(
    'UNCONFINED  agents can read and write whatever you can: there is no bubblewrap; install it',
  )
  expect(await served.json(argv)).toMatchObject({ unconfined: { why, todo: 'install it' } })
  const confined = await serve()
  expect((await confined.gafferRun(['delegate', await confined.brief(), '--hub', '/srv/orders'])).stdout).not.toContain(
    'UNCONFINED',
  )
})

describe('signing', () => {
  const ready = async () => {
    const served = await serve()
    const id = await delegated(served)
    await served.gaffer.acceptUnit(id, null, maria)
    const isSigned = async (): Promise<boolean> =>
      (await served.gaffer.log(id)).some(({ event }) => JSON.stringify(event).includes('"signed"'))
    return { served, id, isSigned }
  }

  it('waits for the final gates when it comes before them', async () => {
    const served = await serve({ moves: false })
    const id = await delegated(served)
    await served.gaffer.move(id)
    await served.gaffer.acceptUnit(id, null, maria)
    const signing = served.gafferRun(['sign', id, '--key', makeKey(served), '--yes'])
    await expect.poll(() => served.following(), { timeout: 20_000 }).toBe(1)
    await served.gaffer.move(id)
    const { code, stdout } = await signing
    expect(code).toBe(0)
    expect(stdout).toContain('the final gates judge the whole; then you sign')
    expect((await served.gaffer.task(id))?.task.state).toBe('signed')
  })

  it('asks a person, and where nobody can be asked signs nothing that is not explicit', async () => {
    const { served, id, isSigned } = await ready()
    const { code, stderr } = await served.gafferRun(['sign', id, '--key', makeKey(served)])
    expect(code).toBe(2)
    expect(stderr).toContain('--non-interactive')
    expect(await isSigned()).toBe(false)
  })

  it('signs nothing when the statement is about something else than what is shown', async () => {
    const { served, id, isSigned } = await ready()
    const view = await served.gaffer.task(id)
    if (view?.task.state !== 'reviewing' || view.task.candidate === null) throw new Error('no candidate')
    const other = view.task.candidate.statement.replaceAll(view.task.candidate.tree, 'b'.repeat(40))
    const lying = { ...view, task: { ...view.task, candidate: { ...view.task.candidate, statement: other } } }
    served.lie({ task: async () => lying })
    const { code, stderr } = await served.gafferRun(['sign', id, '--key', makeKey(served), '--yes'])
    expect(code).toBe(1)
    expect(stderr).toContain('another candidate')
    expect(await isSigned()).toBe(false)
  })

  it('says what to do about a key that is not there, or cannot sign', async () => {
    const { served, id } = await ready()
    const missing = await served.gafferRun(['sign', id, '--key', 'nowhere', '--yes'])
    expect(missing).toMatchObject({ code: 2 })
    expect(missing.stderr).toContain('--key')
    const noKey = join(served.folder, 'no-key')
    await writeFile(noKey, 'not a key', { mode: 0o600 })
    const bad = await served.gafferRun(['sign', id, '--key', noKey, '--yes'])
    expect(bad.code).toBe(3)
    expect(bad.stderr).toContain('ssh-keygen did not sign')
  })

  it('asks nobody for a pass phrase where it was told that nobody is there', async () => {
    const { served, id, isSigned } = await ready()
    const key = join(served.folder, 'locked')
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'a pass phrase', '-C', 'owner', '-f', key])
    const asker = join(served.folder, 'asker')
    const asked = join(served.folder, 'asked')
    await writeFile(asker, `#!/bin/sh\ntouch ${asked}\necho a pass phrase\n`, { mode: 0o700 })
    const { code, stderr } = await served.gafferRun(['sign', id, '--key', key, '--non-interactive'], {
      env: { SSH_ASKPASS: asker, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' },
    })
    expect(code).toBe(3)
    expect(stderr).toContain('ssh-add')
    expect(existsSync(asked)).toBe(false)
    expect(await isSigned()).toBe(false)
  })

  it('leaves it to the server who may sign', async () => {
    const { served, id, isSigned } = await ready()
    const { code, stderr } = await served.gafferRun([
      'sign',
      id,
      '--key',
      makeKey(served),
      '--yes',
      '--as',
      'li@example.com',
    ])
    expect(code).toBe(1)
    expect(stderr).toContain('only the owner')
    expect(await isSigned()).toBe(false)
  })
})

describe('what others wrote', () => {
  it('has no hold of the terminal: what is invisible is shown', async () => {
    const served = await serve()
    const id = await delegated(served, exampleBrief('Orders \u001b[2J\u001b]0;x\u0007 end\u202egpj'))
    served.gaffer.patches.set(
      'step-1',
      'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+if (admin\u2066) {\u001b[8m\n',
    )
    for (const argv of [['status', id], ['status'], ['review', id], ['watch', id], ['log', id]]) {
      const { stdout } = await served.here(argv)
      // oxlint-disable-next-line no-control-regex
      expect(stdout).not.toMatch(/[\u001b\u0007\u202e\u2066]/)
    }
    expect((await served.gafferRun(['review', id])).stdout).toContain('<U+2066>')
  })
})

describe('for programs', () => {
  it('answers every command with JSON and nothing else, whatever it answers', async () => {
    const served = await serve({ planApproval: true })
    const id = await delegated(served)
    served.gaffer.transcripts.set(`session/${id}/plan`, [{ kind: 'said', text: 'hello' }])
    const commands = [
      ['status'],
      ['status', id],
      ['status', '--state', 'landed'],
      ['plan', id],
      ['plan', id, '--revise', 'x'],
      ['log', id],
      ['log', id, '--session', 'plan'],
      ['log', id, '--session', 'none'],
      ['page'],
      ['plan', id, '--approve'],
      ['review', id],
      ['review', id, '--unit', 'step-1', '--accept'],
      ['answer', id, 'x'],
      ['land', id],
      ['sign', id],
      ['abandon', id, '--because', 'x'],
      ['status', 'no-such-task'],
      ['status', '--nothing'],
      ['nothing'],
      ['delegate', 'nothing.md'],
    ]
    for (const argv of commands) {
      const { stdout, stderr, code } = await served.here([...argv, '--json'])
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      const { error } = lines.at(-1) as { error?: { what: string; todo: string; exit: number } }
      expect([argv, stderr]).toEqual([argv, ''])
      const complete = error !== undefined && error.what !== '' && error.todo !== '' && error.exit === code
      expect([argv, code === 0 ? error === undefined : complete]).toEqual([argv, true])
    }
  })

  it('prints no colour where there is no terminal', async () => {
    const served = await serve()
    await delegated(served)
    // oxlint-disable-next-line no-control-regex
    expect((await served.gafferRun(['status'])).stdout).not.toMatch(/\u001b/)
  })
})
