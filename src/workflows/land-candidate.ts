import { judge } from '../domain/verdict.ts'
import type { Landing, Signed } from '../domain/task/task.ts'
import { composeLanding, prepareLanding, type ComposedLanding, type LandingInput } from '../own/landing.ts'
import { pushLanding, type LandingPushed } from '../own/push-landing.ts'
import type { Refusal } from '../domain/fault.ts'
import { caught } from './caught.ts'
import { judgeWhole, type Judged } from './judge-whole.ts'
import { mayGoOn } from './prepare-candidate.ts'
import { block, blockOnFault, taskOf, tell, type Stage } from './stage.ts'

/** Main may move again while a merged tree is judged; each turn means that somebody else landed. */
const turns = 20

/**
 * From the signature to main: what would land is made, judged again where main had moved, and compared and swapped.
 * A push that went through before a crash is recognised, so nothing lands twice.
 */
export async function landCandidate(stage: Stage): Promise<void> {
  for (let turn = 1; turn <= turns; turn += 1) {
    if ((await landOnce(stage, `${stage.version}-${turn}`)) === 'over') return
  }
  await block(stage, { kind: 'hub-refused', message: `main moved ${turns} times while this was landing` })
}

async function landOnce(stage: Stage, name: string): Promise<'over' | 'again'> {
  const { flow } = stage
  const composed = await flow.step(`compose-landing-${name}`, () => caught(() => compose(stage)))
  if (composed.kind === 'fault') return over(blockOnFault(stage, 'landing', composed.fault))
  const plan = composed.value
  switch (plan.kind) {
    case 'branch-gone':
      return over(block(stage, { kind: 'hub-refused', message: 'the protected branch is gone: push it again' }))
    case 'conflict':
      return over(block(stage, { kind: 'conflict', paths: plan.paths }))
    case 'sign-again':
      return over(
        tell(stage, `withdraw-${name}`, {
          type: 'withdraw-candidate',
          because: 'main moved, and its settings ask for a new signature then',
        }),
      )
    case 'landed':
      return over(tell(stage, `finish-${name}`, { type: 'finish-landing', commit: plan.commit }))
    case 'direct':
    case 'merged':
      return swap(stage, name, plan)
  }
}

async function swap(stage: Stage, name: string, composed: LandingInput['composed']): Promise<'over' | 'again'> {
  const { flow } = stage
  const { attempt } = composed
  const judged = composed.kind === 'merged' ? await judgeWhole(stage, `merged/${name}`, attempt) : null
  if (judged?.kind === 'fault') return over(blockOnFault(stage, 'the gates of the merged tree', judged.fault))
  if (judged !== null && judge(judged.value.results).kind === 'failed') {
    // The signed change does not stand on today's main: it goes back to where people and the agent can mend it.
    if (
      !(await tell(stage, `withdraw-${name}`, {
        type: 'withdraw-candidate',
        because: 'main moved, and the gates refuse the merged tree',
      }))
    )
      return 'over'
    return over(mayGoOn(stage, judged.value))
  }
  if (judged !== null && !(await mayGoOn(stage, judged.value))) return 'over'

  if (!(await tell(stage, `start-${name}`, { type: 'start-landing', attempt }))) return 'over'
  const pushed = await flow.step(`push-${name}`, () => caught(() => push(stage, composed, judged?.value ?? null)))
  if (pushed.kind === 'fault') return over(blockOnFault(stage, 'landing', pushed.fault))
  switch (pushed.value.kind) {
    case 'landed':
      return over(tell(stage, `finish-${name}`, { type: 'finish-landing', commit: pushed.value.commit }))
    case 'moved':
      return 'again'
    case 'dirty':
      return over(turnedAway(stage, name, pushed.value.todo))
    case 'refused':
      return over(turnedAway(stage, name, 'why' in pushed.value ? pushed.value.why : pushed.value.message))
  }
}

/** Nothing of it is on the branch: the task is signed again, waits for a person, and may be abandoned. */
async function turnedAway(stage: Stage, name: string, message: string): Promise<void> {
  if (await tell(stage, `stop-${name}`, { type: 'stop-landing' })) await block(stage, { kind: 'hub-refused', message })
}

async function compose(stage: Stage): Promise<ComposedLanding> {
  const task = await ownedTask(stage)
  const composed = await composeLanding(await stage.site.open(task.hub), task)
  if (composed.kind !== 'landed' || task.state === 'landing') return composed
  // Somebody moved main to the signed commit by hand: it lands as signed, and its evidence follows.
  const { commit, tree, base } = task.candidate
  return { kind: 'direct', attempt: { commit, tree, base } }
}

async function push(
  stage: Stage,
  composed: LandingInput['composed'],
  judged: Judged | null,
): Promise<LandingPushed | Refusal> {
  const task = await ownedTask(stage)
  const { dossiers, key, open } = stage.site
  const repository = await open(task.hub)
  const { envelopes, results, at } = await dossiers.find(task.candidate.commit)
  const prepared = await prepareLanding(repository, { task, composed, envelopes, key, ...(judged ?? { results, at }) })
  return prepared.kind === 'refused' ? prepared : pushLanding(repository, prepared)
}

async function ownedTask(stage: Stage): Promise<Signed | Landing> {
  const task = await taskOf(stage)
  if (task.state !== 'signed' && task.state !== 'landing')
    throw new Error(`${task.id} is ${task.state}, and was to land`)
  return task
}

const over = async (last: Promise<unknown>): Promise<'over'> => {
  await last
  return 'over'
}
