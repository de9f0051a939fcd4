import { proposePlan, type Proposal } from '../delegate/plan/propose-plan.ts'
import type { Drafted } from '../domain/task/task.ts'
import { agentFor } from './agent-for.ts'
import { caught } from './caught.ts'
import { requireSandbox, settingsAt } from './site.ts'
import { blockOnFault, taskOf, tell, type Stage } from './stage.ts'

const filesShown = 400

/** Asks the agent for a plan in a session that may not write; people approve it where the rules ask for that. */
export async function planTask(stage: Stage): Promise<void> {
  const { flow, version } = stage
  const proposal = await flow.step(`plan-${version}`, () => caught(() => plan(stage)))
  if (proposal.kind === 'fault') return blockOnFault(stage, 'planning', proposal.fault)
  await tell(stage, `propose-plan-${version}`, { type: 'propose-plan', plan: proposal.value.plan })
}

async function plan(stage: Stage): Promise<Proposal> {
  const { id, site } = stage
  const task = await taskOf(stage)
  if (task.state !== 'drafted') throw new Error(`${id} is ${task.state}, and was to be planned`)
  const repository = await site.open(task.hub)
  const settings = await settingsAt(repository, task.base)
  requireSandbox(settings, site.protection)
  const { workspace, home } = site.folders(id)
  await repository.openWorkspace(workspace, task.base)
  const files = (await repository.list(task.base)).map(({ path }) => path)

  const ask = async (prompt: string): Promise<string> => {
    const turn = await site.conversations.turn({
      key: `${id}/plan`,
      task: id,
      agent: agentFor(task, settings, site.environment),
      workspace,
      home,
      settings,
      readOnly: true,
      readable: [],
      fresh: prompt,
      continued: prompt,
      signal: site.signal(id),
    })
    return turn.said
  }
  try {
    return await proposePlan({ task: id, brief: task.brief, settings, files: shown(files), notes: notesOf(task) }, ask)
  } finally {
    await site.conversations.close(`${id}/plan`)
  }
}

const notesOf = (task: Drafted): readonly string[] => task.planNotes

const shown = (files: readonly string[]): readonly string[] =>
  files.length <= filesShown ? files : [...files.slice(0, filesShown), `… and ${files.length - filesShown} more`]
