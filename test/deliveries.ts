import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { email, type TaskId, type UnitId } from '../src/domain/ids.ts'
import { waitsFor } from '../src/workflows/waits-for.ts'
import type { Task } from '../src/domain/task/task.ts'
import type { Flow } from '../src/ports/flow.ts'
import { signWithKey } from '../src/own/sign-off.ts'
import { startWorks, type Works } from '../src/wiring/start-works.ts'
import type { Gaffer } from '../src/workflows/gaffer.ts'
import { makeRepository, temporaryFolder, type Files, type TestRepository } from './repositories.ts'

/**
 * A small repository that Gaffer looks after, and a Gaffer that delivers into it, all of it real: embedded Postgres,
 * git, agents as processes, ssh-keygen. Tests say what the agent does, turn by turn, and follow the task.
 */
export interface Delivery extends AsyncDisposable {
  readonly folder: string
  readonly data: string
  readonly repository: TestRepository
  readonly keyFile: string
  readonly gaffer: Gaffer
  delegate(changes?: BriefChanges): Promise<TaskId>
  /** The task once it is so; fails with what it is instead when it waits for somebody else or takes too long. */
  until(id: TaskId, wanted: (task: Task) => boolean): Promise<Task>
  /** Accepts every unit and signs as the owner, when it is asked for. */
  reviewAndSign(id: TaskId): Promise<void>
  armour(id: TaskId, statement?: string): Promise<string>
  /** Stops Gaffer and starts it again on the same data. */
  restart(): Promise<void>
}

export interface DeliveryOptions {
  /** What the agent does: one entry of a session file a turn. */
  readonly turns: readonly Turn[]
  readonly files?: Files
  /** Merged over the settings; `agents` over the replay agent. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly through?: (flow: Flow) => Flow
}
export interface Turn {
  readonly when: string
  readonly do: readonly Readonly<Record<string, unknown>>[]
}
export interface BriefChanges {
  readonly owner?: string
  readonly agent?: string
  readonly hub?: string
  readonly text?: string
}

export const theOwner = email('owner@example.com')
const person = { kind: 'person', email: theOwner } as const

export const plans = (...units: readonly string[]): Turn => ({
  when: 'stage=plan',
  do: [{ answer: { summary: 'Step by step.', units: units.map((id) => ({ id, title: `Unit ${id}`, goal: `Builds ${id}.`, acceptance: ['A1'], files: [`src/${id}.txt`] })) } }],
})
export const builds = (unit: string, content = `${unit}\n`, round = 1): Turn => ({
  when: `stage=build unit=${unit} round=${round}`,
  do: [{ write: { path: `src/${unit}.txt`, content } }],
})
export const answers: Turn = { when: 'stage=questions', do: [{ answer: { why: 'It is the least.', scale: 'Nothing.', rules: 'It touches none.' } }] }

/** Every file below src must end with a line break and must not say `bad`. */
const check = `set -e
for file in src/*.txt; do
  if grep -q bad "$file"; then echo "$file:1:1: it says bad"; exit 1; fi
done
`

export async function startDelivery(options: DeliveryOptions): Promise<Delivery> {
  const place = await temporaryFolder('gaffer-delivery-')
  const folder = place.path
  const keyFile = join(folder, 'owner-key')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', theOwner, '-f', keyFile])
  const session = join(folder, 'session', 'session.yaml')
  mkdirSync(join(folder, 'session'))
  writeFileSync(session, stringify({ version: 1, turns: options.turns }))

  const data = join(folder, 'data')
  const { loadInstanceKey } = await import('../src/own/instance-key.ts')
  const { publicPem } = await loadInstanceKey(data)
  const { agents, ...settings } = options.settings ?? {}
  const repository = await makeRepository({
    folder: join(folder, 'repository'),
    files: {
      'src/first.txt': 'first\n',
      'check.sh': check,
      '.gaffer/gaffer.yaml': stringify({
        version: 1,
        gates: { check: { gate: 'command', run: 'sh check.sh' } },
        agent: 'replay',
        agents: { replay: { command: ['gaffer', 'replay', session] }, ...(agents as object | undefined) },
        ...settings,
      }),
      '.gaffer/allowed_signers': `${theOwner} ${readFileSync(`${keyFile}.pub`, 'utf8')}`,
      '.gaffer/evidence_keys.pem': publicPem,
      ...options.files,
    },
  })

  const log = (): void => undefined
  const start = (): Promise<Works> => startWorks({ data, log, ...(options.through === undefined ? {} : { through: options.through }) })
  let works = await start()

  const until = async (id: TaskId, wanted: (task: Task) => boolean): Promise<Task> => {
    const tooLong = AbortSignal.timeout(50_000)
    const look = async (): Promise<Task | undefined> => (await works.gaffer.task(id))?.task
    const known = await look()
    if (known !== undefined && wanted(known)) return known
    for await (const _ of works.gaffer.follow(id, 0, tooLong)) {
      const task = await look()
      if (task !== undefined && wanted(task)) return task
    }
    throw new Error(`${id} is not as wanted: ${JSON.stringify(await works.gaffer.task(id), null, 2)}`)
  }

  const armour = async (id: TaskId, statement?: string): Promise<string> => {
    const view = await works.gaffer.task(id)
    if (view?.task.state !== 'reviewing' || view.task.candidate === null) throw new Error(`${id} has nothing to sign`)
    return signWithKey({ keyFile, statement: statement ?? view.task.candidate.statement, interactive: false, env: process.env })
  }

  return {
    folder,
    data,
    repository,
    keyFile,
    get gaffer() {
      return works.gaffer
    },
    async delegate(changes = {}) {
      const opened = await works.gaffer.delegate({
        ...{ brief: changes.text ?? briefText(), hub: changes.hub ?? repository.folder, agent: changes.agent ?? null },
        ...{ owner: changes.owner === undefined ? null : email(changes.owner), actor: person, key: crypto.randomUUID() },
      })
      if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
      return opened.task
    },
    until,
    async reviewAndSign(id) {
      const ready = await until(id, (task) => task.state === 'reviewing' && task.candidate !== null)
      if (ready.state !== 'reviewing' || ready.candidate === null) throw new Error(String(waitsFor(ready)))
      await works.gaffer.acceptUnit(id, null as UnitId | null, person)
      const signed = await works.gaffer.sign(id, { candidate: ready.candidate.commit, armoured: await armour(id) }, person)
      if (signed.kind === 'refused') throw new Error(JSON.stringify(signed))
    },
    armour,
    async restart() {
      await works.stop()
      works = await start()
    },
    async [Symbol.asyncDispose]() {
      await works.stop()
      await place.remove()
    },
  }
}

export const briefText = (changes: Readonly<Record<string, string>> = {}): string => `---
title: A small change
owner: ${changes['owner'] ?? theOwner}
scope: [${changes['scope'] ?? 'src/**'}]
---

## Outcome
The files are there.

## Acceptance
- the files are there (test: check.sh)

## Failure modes
- none that matter here

## Never
- dependency: *
`
