import { eventListSchema, type EventOnTheWire } from '../../contract/events.ts'
import { routes } from '../../contract/routes.ts'
import { taskDetailSchema, type TaskDetail } from '../../contract/task-detail.ts'
import type { Context } from '../context.ts'
import { showEvent } from '../render/show-event.ts'
import type { Client } from './connect.ts'
import { follow } from './follow.ts'

/**
 * Shows what happens to a task, as it happens, until `isOver` says so of the task as it stands: for people one line a
 * thing, with `--json` one event a line. Ctrl-C ends the watching and nothing else.
 * @param from `start`: what has happened so far is shown as well
 */
export async function showProgress(
  context: Context,
  client: Client,
  {
    task,
    from,
    isOver,
  }: { readonly task: string; readonly from: 'start' | 'now'; readonly isOver: (detail: TaskDetail) => boolean },
): Promise<TaskDetail> {
  const leaving = new AbortController()
  context.terminal.onStop(() => leaving.abort())
  const show = (event: EventOnTheWire): void => {
    if (context.json) context.say('', event)
    else for (const line of showEvent(event, context.paint)) context.say(line)
  }
  const read = (): Promise<TaskDetail> => client.get(routes.task(task), taskDetailSchema)

  const { events } = await client.get(routes.events(task), eventListSchema)
  if (from === 'start') for (const event of events) show(event)
  let detail = await read()
  const seen = events.at(-1)
  // Events between the two reads are still to be shown, so an ending is believed only about what was seen.
  if (isOver(detail) && seen?.version === detail.version) return detail

  try {
    for await (const event of follow(client, routes.taskStream(task), seen?.position ?? 0, leaving.signal)) {
      show(event)
      detail = await read()
      if (isOver(detail) && detail.version === event.version) return detail
    }
  } finally {
    leaving.abort()
  }
  return read()
}
