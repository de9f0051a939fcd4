import { z } from 'zod'
import { objectSchemas } from '../domain/evidence.ts'
import { taskId, type CommitSha, type TreeSha } from '../domain/ids.ts'
import type { GateResult } from '../domain/verdict.ts'
import type { Flow } from '../ports/flow.ts'
import { caught, type Caught } from './caught.ts'
import { requireSandbox, settingsAt, type Site } from './site.ts'
import { taskOf, type Stage } from './stage.ts'

export interface Judged {
  readonly results: readonly GateResult[]
  /** When it was judged; dates what is made of it. */
  readonly at: string
}

/** The final gates of a whole tree against a base, as a child of the delivery, so that only so many run at once. */
export function judgeWhole(
  { flow, id, turn }: Stage,
  name: string,
  { base, tree }: { readonly base: CommitSha; readonly tree: TreeSha },
): Promise<Caught<Judged>> {
  return flow.child('judge-whole', {
    id: `${flow.id}/${name}-${turn}`,
    queue: 'gates',
    argument: JSON.stringify({ id, base, tree }),
  })
}

const argumentSchema = z.strictObject({
  id: z.string().transform(taskId),
  base: objectSchemas.commit,
  tree: objectSchemas.tree,
})

export function runJudgeWhole(flow: Flow, argument: string, site: Site): Promise<Caught<Judged>> {
  const { id, base, tree } = argumentSchema.parse(JSON.parse(argument))
  return flow.step('final-gates', () =>
    caught(async () => {
      const task = await taskOf({ id, site })
      const repository = await site.open(task.hub)
      const settings = await settingsAt(repository, base)
      requireSandbox(settings, site.protection)
      const results = await site.judge({
        settings,
        level: 'final',
        base,
        tree,
        brief: task.brief,
        problems: [],
        repository,
        signal: site.signal(id),
      })
      return { results, at: site.clock.now() }
    }),
  )
}
