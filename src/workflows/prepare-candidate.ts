import type { Refusal } from '../domain/fault.ts'
import type { Candidate } from '../domain/task/task.ts'
import { judge } from '../domain/verdict.ts'
import { composeCandidate, composeTree, type ComposedTree } from '../own/candidate.ts'
import { caught } from './caught.ts'
import { judgeWhole, type Judged } from './judge-whole.ts'
import { block, blockOnFault, taskOf, tell, type Stage } from './stage.ts'

/**
 * What would land now, judged whole, as a commit with its evidence and the text for the owner to sign. People review
 * the units meanwhile; a candidate that is overtaken is made again.
 */
export async function prepareCandidate(stage: Stage): Promise<void> {
  const { flow, version, site } = stage
  const composed = await flow.step(`compose-tree-${version}`, () => caught(() => compose(stage)))
  if (composed.kind === 'fault') return blockOnFault(stage, 'putting the change together', composed.fault)
  if (composed.value.kind === 'conflict') {
    await block(stage, { kind: 'conflict', paths: composed.value.paths })
    return
  }
  const { tree, base } = composed.value

  const judged = await judgeWhole(stage, `final/${version}`, { base, tree })
  if (judged.kind === 'fault') return blockOnFault(stage, 'the final gates', judged.fault)
  if (!(await mayGoOn(stage, judged.value))) return

  const candidate = await flow.step(`compose-candidate-${version}`, () =>
    caught(async (): Promise<{ kind: 'candidate'; candidate: Candidate } | Refusal> => {
      const task = await taskOf(stage)
      const input = { task, tree, base, ...judged.value, key: site.key }
      const made = await composeCandidate(await site.open(task.hub), input)
      if (made.kind === 'refused') return made
      await site.dossiers.keep(made.candidate.commit, {
        envelopes: [...made.envelopes],
        results: [...judged.value.results],
        at: judged.value.at,
      })
      return { kind: 'candidate', candidate: made.candidate }
    }),
  )
  if (candidate.kind === 'fault') return blockOnFault(stage, 'making the candidate', candidate.fault)
  if (candidate.value.kind === 'refused') {
    await block(stage, { kind: 'hub-refused', message: `${candidate.value.why}: ${candidate.value.todo}` })
    return
  }
  await tell(stage, `prepare-candidate-${version}`, { type: 'prepare-candidate', candidate: candidate.value.candidate })
}

async function compose(stage: Stage): Promise<ComposedTree> {
  const task = await taskOf(stage)
  return composeTree(await stage.site.open(task.hub), task)
}

/** Blocks unless every final gate lets it through. */
export async function mayGoOn(stage: Stage, { results }: Judged): Promise<boolean> {
  const judgement = judge(results)
  switch (judgement.kind) {
    case 'passed':
      return true
    case 'failed':
      await block(stage, { kind: 'final-gates-failed', findings: judgement.findings })
      return false
    case 'unavailable': {
      const [{ gate, cause }] = judgement.gates
      await block(stage, { kind: 'gate-unavailable', gate, cause })
      return false
    }
  }
}
