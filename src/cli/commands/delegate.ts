import { randomUUID } from 'node:crypto'
import { isAbsolute, resolve } from 'node:path'
import { delegatedSchema, type DelegateBody } from '../../contract/delegate.ts'
import { routes } from '../../contract/routes.ts'
import { deed, type Answer } from '../answer.ts'
import { connect } from '../client/connect.ts'
import type { Context } from '../context.ts'
import { gitLine } from '../git.ts'
import { readBriefFile } from '../read-brief-file.ts'
import { showUnconfined } from '../render/show-unconfined.ts'
import { refusal } from '../stop.ts'
import { showProblems } from './brief-check.ts'
import { watchTask } from './watch.ts'

export interface DelegateOptions {
  readonly agent?: string
  readonly owner?: string
  readonly hub?: string
  readonly once?: string
  readonly wait?: boolean
}

/** `gaffer delegate BRIEF` */
export async function delegate(context: Context, file: string, options: DelegateOptions): Promise<Answer> {
  const brief = await readBriefFile(context.cwd, file)
  const [actor, hub] = [await context.person(), await hubOf(context.cwd, options.hub)]
  const client = await connect(context.data)
  const body: DelegateBody = { brief, hub, actor, agent: options.agent ?? null, owner: options.owner ?? null }
  const headers = { 'Idempotency-Key': options.once ?? randomUUID() }
  const delegated = await client.post(routes.tasks, { body, headers, schema: delegatedSchema })
  const { unconfined, problems } = delegated
  const warnings = [
    ...(unconfined === null ? [] : [showUnconfined(unconfined, context.paint)]),
    ...showProblems(file, problems, context.paint),
  ]

  if (options.wait === true) {
    for (const line of warnings) context.say(line)
    return watchTask(context, client, delegated.task, undefined)
  }
  return {
    data: delegated,
    text: [
      ...warnings,
      ...(warnings.length > 0 ? [''] : []),
      ...deed(`opened ${context.paint.strong(delegated.task)}`, {
        next: 'the agent draws up the plan',
        look: `gaffer watch ${delegated.task}`,
      }),
    ],
  }
}

/** The repository to deliver into: the one that was named, or the one that the person stands in. */
async function hubOf(cwd: string, named: string | undefined): Promise<string> {
  if (named !== undefined)
    return /^[a-z][a-z0-9+.-]*:\/\//i.test(named) || /^[^/\s]+@[^/\s]+:/.test(named) || isAbsolute(named)
      ? named
      : resolve(cwd, named)
  const top =
    (await gitLine(cwd, ['rev-parse', '--show-toplevel'])) ?? (await gitLine(cwd, ['rev-parse', '--absolute-git-dir']))
  if (top !== undefined && top !== '') return top
  throw refusal(
    'nothing was opened',
    `${cwd} is in no git repository`,
    'go into the repository to deliver into, or name it: `--hub PATH`',
  )
}
