import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { createRepositories } from '../src/adapters/git/repositories.ts'
import type { Verification } from '../src/domain/evidence.ts'
import { email, type TaskId } from '../src/domain/ids.ts'
import { waitsFor } from '../src/workflows/waits-for.ts'
import type { Task } from '../src/domain/task/task.ts'
import { loadInstanceKey } from '../src/own/instance-key.ts'
import { signWithKey } from '../src/own/sign-off.ts'
import { verify } from '../src/own/verify.ts'
import { startWorks, type Around, type Works } from '../src/wiring/start-works.ts'
import type { Delegated, Gaffer } from '../src/workflows/gaffer.ts'
import {
  makeBareHub,
  makeRepository,
  temporaryFolder,
  testRepository,
  type Files,
  type TestRepository,
} from './repositories.ts'

/**
 * A Gaffer that delivers, and small repositories that it looks after, all of it real: embedded Postgres, git, agents as
 * processes, ssh-keygen. Tests say what the agent does, turn by turn, and follow the task.
 */
export interface TestSite extends AsyncDisposable {
  readonly data: string
  readonly gaffer: Gaffer
  /** A new repository with an agent that does as it is told. */
  delivery(options: DeliveryOptions): Promise<Delivery>
  /** Stops Gaffer and starts it again on the same data. */
  restart(): Promise<void>
}

export interface Delivery {
  readonly folder: string
  readonly repository: TestRepository
  readonly keyFile: string
  delegate(changes?: BriefChanges): Promise<TaskId>
  attempt(changes?: BriefChanges): Promise<Delegated>
  /** The task once it is so; fails with what it is instead when that takes too long. */
  until(id: TaskId, wanted: (task: Task) => boolean): Promise<Task>
  untilState<State extends Task['state']>(id: TaskId, state: State): Promise<Extract<Task, { state: State }>>
  /** Accepts every unit and signs as the owner, when it is asked for. */
  reviewAndSign(id: TaskId): Promise<void>
  armour(id: TaskId, statement?: string): Promise<string>
  verify(range?: string): Promise<Verification>
}

export interface DeliveryOptions {
  /** What the agent does: one entry of a session file a turn. */
  readonly turns: readonly Turn[]
  readonly files?: Files
  /** Merged over the settings; `agents` over the replay agent. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly bare?: boolean
  /** How long a task is waited for; gates of a large repository take their time. */
  readonly patienceMs?: number
  /** A clone of this repository instead of a small one; `gaffer.yaml` as it stands in this file, and this session. */
  readonly from?: { readonly repository: string; readonly settings: string; readonly session: string }
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
export const thePerson = { kind: 'person', email: theOwner } as const

export const plans = (...units: readonly string[]): Turn => ({
  when: 'stage=plan',
  do: [
    {
      answer: {
        summary: 'Step by step.',
        units: units.map((id) => ({
          id,
          title: `Unit ${id}`,
          goal: `Builds ${id}.`,
          acceptance: ['A1'],
          files: [`src/${id}.txt`],
        })),
      },
    },
  ],
})
export const builds = (unit: string, content = `${unit}\n`, round = 1): Turn => ({
  when: `stage=build unit=${unit} round=${round}`,
  do: [{ write: { path: `src/${unit}.txt`, content } }],
})
export const answers: Turn = {
  when: 'stage=questions',
  do: [{ answer: { why: 'It is the least.', scale: 'Nothing.', rules: 'It touches none.' } }],
}

/** Every file below src must end with a line break and must not say `bad`. */
const check = `set -e
for file in src/*.txt; do
  if grep -q bad "$file"; then echo "$file:1:1: it says bad"; exit 1; fi
done
`

export async function startSite(around: Around = {}): Promise<TestSite> {
  const place = await temporaryFolder('gaffer-site-')
  const data = join(place.path, 'data')
  const { publicPem } = await loadInstanceKey(data)
  const log = (): void => undefined
  const start = (): Promise<Works> => startWorks({ data, log, around })
  let works = await start()
  let count = 0
  return {
    data,
    get gaffer() {
      return works.gaffer
    },
    delivery(options) {
      count += 1
      const folder = join(place.path, `delivery-${count}`)
      return makeDelivery({ folder, publicPem, options, gaffer: () => works.gaffer })
    },
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

export interface DeliveryPlace {
  readonly folder: string
  readonly publicPem: string
  readonly options: DeliveryOptions
  readonly gaffer: () => Gaffer
}

export async function makeDelivery({ folder, publicPem, options, gaffer }: DeliveryPlace): Promise<Delivery> {
  mkdirSync(join(folder, 'session'), { recursive: true })
  const keyFile = join(folder, 'owner-key')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', theOwner, '-f', keyFile])
  const session = join(folder, 'session', 'session.yaml')
  writeFileSync(session, stringify({ version: 1, turns: options.turns }))
  const trust: Files = {
    '.gaffer/allowed_signers': `${theOwner} ${readFileSync(`${keyFile}.pub`, 'utf8')}`,
    '.gaffer/evidence_keys.pem': publicPem,
  }
  const made = await (options.from === undefined
    ? makeSmall({ folder, session, options, trust })
    : cloneOf(options.from, join(folder, 'repository'), trust))
  const repository = options.bare === true ? await makeBareHub({ folder: join(folder, 'hub.git'), from: made }) : made

  const attempt = (changes: BriefChanges = {}): Promise<Delegated> =>
    gaffer().delegate({
      brief: changes.text ?? briefText(),
      hub: changes.hub ?? repository.folder,
      agent: changes.agent ?? null,
      owner: changes.owner === undefined ? null : email(changes.owner),
      actor: thePerson,
      key: crypto.randomUUID(),
    })

  const until = async (id: TaskId, wanted: (task: Task) => boolean): Promise<Task> => {
    const tooLong = AbortSignal.timeout(options.patienceMs ?? 50_000)
    for await (const _ of gaffer().follow(id, 0, tooLong)) {
      const view = await gaffer().task(id)
      if (view !== undefined && wanted(view.task)) return view.task
    }
    throw new Error(`${id} is not as wanted: ${JSON.stringify(await gaffer().task(id), null, 2)}`)
  }

  const armour = async (id: TaskId, statement?: string): Promise<string> => {
    const view = await gaffer().task(id)
    if (view?.task.state !== 'reviewing' || view.task.candidate === null) throw new Error(`${id} has nothing to sign`)
    return signWithKey({
      keyFile,
      statement: statement ?? view.task.candidate.statement,
      interactive: false,
      env: process.env,
    })
  }

  return {
    folder,
    repository,
    keyFile,
    attempt,
    until,
    armour,
    async delegate(changes) {
      const opened = await attempt(changes)
      if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
      return opened.task
    },
    async untilState(id, state) {
      const task = await until(id, (now) => now.state === state)
      return task as Extract<
        Task,
        {
          state: typeof state
        }
      >
    },
    async reviewAndSign(id) {
      const ready = await until(id, (task) => task.state === 'reviewing' && task.candidate !== null)
      if (ready.state !== 'reviewing' || ready.candidate === null) throw new Error(String(waitsFor(ready)))
      await gaffer().acceptUnit(id, null, thePerson)
      const signed = await gaffer().sign(
        id,
        {
          candidate: ready.candidate.commit,
          armoured: await armour(id),
        },
        thePerson,
      )
      if (signed.kind === 'refused') throw new Error(JSON.stringify(signed))
    },
    async verify(range) {
      const repositories = createRepositories({ folder: join(folder, 'none') })
      return verify(await repositories.inspect(repository.folder), range)
    },
  }
}

interface Small {
  readonly folder: string
  readonly session: string
  readonly options: DeliveryOptions
  readonly trust: Files
}

function makeSmall({ folder, session, options, trust }: Small): Promise<TestRepository> {
  const { agents, ...settings } = options.settings ?? {}
  const gafferYaml = {
    version: 1,
    gates: { check: { gate: 'command', run: 'sh check.sh' } },
    agent: 'replay',
    agents: { replay: { command: ['gaffer', 'replay', session] }, ...(agents as object | undefined) },
    ...settings,
  }
  const files = { 'src/first.txt': 'first\n', 'check.sh': check, '.gaffer/gaffer.yaml': stringify(gafferYaml) }
  return makeRepository({ folder: join(folder, 'repository'), files: { ...files, ...trust, ...options.files } })
}

async function cloneOf(
  from: NonNullable<DeliveryOptions['from']>,
  folder: string,
  trust: Files,
): Promise<TestRepository> {
  execFileSync('git', ['-c', 'safe.directory=*', 'clone', '--quiet', from.repository, folder])
  const clone = testRepository(folder)
  await clone.git('checkout', '--quiet', '-B', 'main')
  const settings = readFileSync(from.settings, 'utf8').replaceAll('$SESSION', from.session)
  await clone.commit({ ...trust, '.gaffer/gaffer.yaml': settings }, 'chore: let Gaffer look after this repository')
  return clone
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
