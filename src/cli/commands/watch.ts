import type { TaskDetail } from '../../contract/task-detail.ts'
import { states, type State } from '../../contract/words.ts'
import type { Answer } from '../answer.ts'
import { connect, type Client } from '../client/connect.ts'
import { showProgress } from '../client/progress.ts'
import type { Context } from '../context.ts'
import { showNext } from '../render/show-task.ts'
import { usage } from '../stop.ts'

export interface WatchOptions {
  /** Goes on while people are waited for, until the task has come this far, is finished, or is blocked. */
  readonly until?: string
}

/** `gaffer watch TASK` */
export async function watch(context: Context, task: string, { until }: WatchOptions): Promise<Answer> {
  const state = until === undefined ? undefined : states.find((each) => each === until)
  if (until !== undefined && state === undefined)
    throw usage('nothing was watched', `${until} is no state of a task`, `name one of ${states.join(', ')}`)
  return watchTask(context, await connect(context.data), task, state)
}

/** Watches until a person is needed, it is finished, or, when `until` is named, it has come that far. */
export async function watchTask(
  context: Context,
  client: Client,
  task: string,
  until: State | undefined,
): Promise<Answer> {
  const isOver = (detail: TaskDetail): boolean =>
    until === undefined
      ? detail.turn !== 'gaffer'
      : hasReached(detail, until) || detail.turn === 'nobody' || detail.row.state === 'blocked'
  const detail = await showProgress(context, client, { task, from: 'start', isOver })
  const failed =
    until === undefined
      ? detail.row.state === 'blocked' || detail.row.state === 'abandoned'
      : !hasReached(detail, until)
  return {
    data: { end: detail },
    text: ['', `${detail.row.id} is ${detail.row.state}`, ...showNext(detail)],
    exit: failed ? 1 : 0,
  }
}

const way: readonly State[] = ['drafted', 'planned', 'building', 'reviewing', 'signed', 'landing', 'landed']

/** Being further is having reached it; blocked and abandoned are beside the way. */
function hasReached({ row }: TaskDetail, until: State): boolean {
  if (row.state === until) return true
  return way.includes(until) && way.includes(row.state) && way.indexOf(row.state) > way.indexOf(until)
}
