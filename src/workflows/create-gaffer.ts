import { checkBrief } from '../delegate/brief/check-brief.ts'
import { readBrief } from '../delegate/brief/read-brief.ts'
import type { Actor } from '../domain/actor.ts'
import { digestOfBrief, type Brief, type BriefProblem } from '../domain/brief.ts'
import { Fault, refuse, type Refusal } from '../domain/fault.ts'
import { nameTask, type CommitSha, type TaskId, type UnitId } from '../domain/ids.ts'
import { digestOf } from '../domain/json.ts'
import { paths, type Settings } from '../domain/settings.ts'
import type { TaskCommand } from '../domain/task/command.ts'
import { tipOf, unitsOf, unitsToReview, workOf, type Task } from '../domain/task/task.ts'
import { listSigners, namesSigner } from '../own/allowed-signers.ts'
import { requireBase, requireTrusted } from '../own/protected-base.ts'
import type { Flows } from '../ports/flow.ts'
import type { Repository } from '../ports/repository.ts'
import type { EventFeed, EventStore } from '../ports/store.ts'
import { followEvents } from './follow-events.ts'
import type { DelegateRequest, Delegated, Gaffer, Outcome, TaskPage, TaskQuery, TaskRow } from './gaffer.ts'
import { settingsAt, type Site } from './site.ts'
import { verifySignOff } from './verify-sign-off.ts'
import { deliveryOf, taskStream } from './tasks.ts'

export interface GafferParts {
  readonly site: Pick<Site, 'tasks' | 'clock' | 'open' | 'key'>
  readonly store: EventStore
  readonly feed: EventFeed
  readonly flows: Flows
  readonly list: { page(query: TaskQuery): Promise<TaskPage>; row(id: TaskId): Promise<TaskRow | undefined> }
}

const patchLimitBytes = 4 * 1024 * 1024

/** What every surface talks to. Decisions are the domain's; this reads what they need and passes them on. */
export function createGaffer({ site, store, feed, flows, list }: GafferParts): Gaffer {
  const { tasks, clock, open } = site

  const command = async (id: TaskId, wanted: TaskCommand): Promise<Outcome> =>
    tasks.apply(id, wanted, `${wanted.type}/${digestOf(clock.randomBytes(16)).slice(7, 23)}`)

  async function sign(
    id: TaskId,
    signature: { candidate: CommitSha; armoured: string },
    actor: Actor,
  ): Promise<Outcome> {
    const found = await tasks.get(id)
    if (found === undefined) return noSuchTask(id)
    const refused = await verifySignOff(found.task, signature, open)
    return refused ?? command(id, { type: 'sign', ...signature, actor })
  }

  async function acceptUnits(id: TaskId, unit: UnitId | null, actor: Actor): Promise<Outcome> {
    if (unit !== null) return command(id, { type: 'accept-unit', unit, actor })
    const found = await tasks.get(id)
    if (found === undefined) return noSuchTask(id)
    if (found.task.state !== 'reviewing')
      return refuse(
        'accept',
        `${id} is ${found.task.state}, not reviewing`,
        `see what it waits for: \`gaffer status ${id}\``,
      )
    let outcome: Outcome = { kind: 'done', task: found.task }
    for (const waiting of unitsToReview(found.task)) {
      outcome = await command(id, { type: 'accept-unit', unit: waiting.unit.id, actor })
      if (outcome.kind === 'refused') return outcome
    }
    return outcome
  }

  /** Only what waits to land: any other block asks something else of a person. */
  async function landAgain(id: TaskId, actor: Actor): Promise<Outcome> {
    const found = await tasks.get(id)
    if (found === undefined) return noSuchTask(id)
    const { task } = found
    const isLanding = task.state === 'blocked' && (task.was.state === 'signed' || task.was.state === 'landing')
    if (isLanding) return command(id, { type: 'unblock', guidance: null, actor })
    const why =
      task.state === 'blocked' ? `it is blocked before its landing: ${task.unblocks}` : `${id} is ${task.state}`
    return refuse('land', why, `see what it waits for: \`gaffer status ${id}\``)
  }

  return {
    delegate: (request) => delegate(request, { site, flows }),
    tasks: (query) => list.page(query),
    async task(id) {
      const [found, row] = [await tasks.get(id), await list.row(id)]
      return found === undefined || row === undefined ? undefined : { row, ...found }
    },
    log: (id, after) => store.read(taskStream(id), after),
    sessions: (id) => store.streams(`session/${id}/`),
    transcript: (session) => (session.startsWith('session/') ? store.read(session) : Promise.resolve([])),
    follow: (id, after, signal) =>
      followEvents(feed, { prefix: id === null ? 'task/' : taskStream(id), exact: id !== null, after, signal }),
    approvePlan: (id, actor) => command(id, { type: 'approve-plan', actor }),
    sendPlanBack: (id, note, actor) => command(id, { type: 'send-plan-back', note, actor }),
    acceptUnit: acceptUnits,
    requestChanges: (id, unit, reason, actor) => command(id, { type: 'request-changes', unit, reason, actor }),
    sign,
    answer: (id, text, actor) => command(id, { type: 'unblock', guidance: text, actor }),
    land: (id, actor) => landAgain(id, actor),
    abandon: (id, because, actor) => command(id, { type: 'abandon', because, actor }),
    async patch(id, unit) {
      const found = await tasks.get(id)
      if (found === undefined) return undefined
      const range = rangeOf(found.task, unit)
      if (range === undefined) return undefined
      const repository = await open(found.task.hub)
      return repository.patch(range.from, range.to, { maxBytes: patchLimitBytes })
    },
  }
}

const noSuchTask = (id: TaskId): Refusal => refuse('look', `there is no task ${id}`, 'look at `gaffer status`')

/** From the checkpoint before a unit to its own; of the whole, from the base to what would land. */
function rangeOf(task: Task, unit: UnitId | null): { from: CommitSha; to: CommitSha } | undefined {
  const work = workOf(task)
  if (unit === null) {
    if ('candidate' in work && work.candidate !== null) return { from: work.candidate.base, to: work.candidate.commit }
    return { from: task.base, to: tipOf(task) }
  }
  let from = task.base
  for (const progress of unitsOf(task)) {
    if (progress.status !== 'checkpointed') return undefined
    if (progress.unit.id === unit) return { from, to: progress.checkpoint.commit }
    from = progress.checkpoint.commit
  }
  return undefined
}

interface DelegateParts {
  readonly site: GafferParts['site']
  readonly flows: Flows
}

async function delegate(request: DelegateRequest, { site, flows }: DelegateParts): Promise<Delegated> {
  const read = readBrief(request.brief)
  if (read.kind === 'unreadable') return { kind: 'brief-refused', problems: read.problems }
  const brief = { ...read.brief, owner: request.owner ?? read.brief.owner, agent: request.agent ?? read.brief.agent }

  const repository = await site.open(request.hub)
  await repository.fetch()
  const ground = await standOn(repository)
  if (ground.kind === 'refused') return ground
  const { base, settings } = ground
  requireTrusted(await requireBase(repository, base), site.key) // nothing is begun that could not land
  const problems = [...read.problems, ...(await problemsOf(brief, request.brief, { repository, base, settings }))]
  if (problems.some(({ level }) => level === 'error')) return { kind: 'brief-refused', problems }
  const agent = brief.agent ?? settings.agent
  if (agent === null || settings.agents[agent] === undefined)
    return refuse(
      'delegate',
      'no agent is chosen',
      `name one with --agent, in the brief, or as \`agent:\` in ${paths.settings} (declared: ${Object.keys(settings.agents).join(', ') || 'none'})`,
    )

  const { review, branch } = settings
  const task = await openTask(request, site, {
    brief,
    briefDigest: digestOfBrief(brief),
    hub: request.hub,
    branch,
    base,
    agent,
    rules: {
      planApproval: review.plan === 'required',
      unitReview: review.units === 'required',
      rounds: review.rounds,
    },
  })
  if (typeof task !== 'string') return task
  await flows.start('deliver', { id: deliveryOf(task), queue: 'deliver', argument: task })
  return { kind: 'opened', task, problems }
}

/**
 * The protected base a task is opened on: the settings are read from there, and from nowhere else. A branch is the
 * protected one when its own settings say so; where to look first is a guess that this proves.
 */
async function standOn(
  repository: Repository,
): Promise<{ kind: 'ground'; base: CommitSha; settings: Settings } | Refusal> {
  const guesses = [...new Set(['main', 'master', (await repository.defaultBranch()) ?? 'main'])]
  let begun: CommitSha | undefined
  for (const guess of guesses) {
    const at = await repository.head(`refs/heads/${guess}`)
    begun ??= at
    if (at === undefined || (await repository.read(at, paths.settings)) === undefined) continue
    const { branch } = await settingsAt(repository, at)
    const base = await repository.head(`refs/heads/${branch}`)
    if (base === undefined)
      return refuse(
        'delegate',
        `the protected branch ${branch} does not exist`,
        `create it, or name another as \`branch:\` in ${paths.settings}`,
      )
    const settings = await settingsAt(repository, base)
    if (settings.branch === branch) return { kind: 'ground', base, settings }
  }
  if (begun === undefined)
    return refuse(
      'delegate',
      'the repository has no commit on a branch yet',
      'make a first commit on main, then run `gaffer init` there',
    )
  throw new Fault('bad-settings', `${paths.settings} is not on ${guesses.join(', ')}`, {
    hint: 'run `gaffer init` on the protected branch, and commit what it writes',
  })
}

async function problemsOf(
  brief: Brief,
  text: string,
  at: { repository: Repository; base: CommitSha; settings: Settings },
): Promise<readonly BriefProblem[]> {
  const files = (await at.repository.list(at.base)).map(({ path }) => path)
  const signers = listSigners((await at.repository.read(at.base, paths.allowedSigners)) ?? '')
  if (signers.kind === 'malformed') throw malformedSigners(signers)
  const canSign = (email: string): boolean => namesSigner(signers.signers, email)
  return checkBrief(brief, text, { files, canSign, agents: Object.keys(at.settings.agents) })
}

const namesTried = 20

/** One key opens one task, however often it is asked: the id is drawn from the key, and drawn again only where another task has it. */
async function openTask(
  request: DelegateRequest,
  { tasks }: GafferParts['site'],
  settled: Omit<Extract<TaskCommand, { type: 'draft' }>, 'type' | 'id' | 'actor'>,
): Promise<TaskId | Refusal> {
  for (let draw = 0; draw < namesTried; draw += 1) {
    const entropy = Buffer.from(digestOf(`${request.key}/${draw}`).slice(7), 'hex')
    const id = nameTask(settled.brief.title, entropy)
    const outcome = await tasks.apply(
      id,
      { type: 'draft', id, ...settled, actor: request.actor },
      `draft/${request.key}`,
    )
    if (outcome.kind === 'done') return id
    if ((await tasks.get(id)) === undefined) return outcome
  }
  throw new Fault('bug', 'no free name was found for the task', { hint: 'delegate it again', retryable: true })
}

const malformedSigners = ({ line, why }: { line: number; why: string }): Fault =>
  new Fault('bad-settings', `${paths.allowedSigners} line ${line} ${why}`, { hint: 'mend it on the protected branch' })
