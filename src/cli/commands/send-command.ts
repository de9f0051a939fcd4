import type { CommandBody } from '../../contract/commands.ts'
import { routes } from '../../contract/routes.ts'
import { taskDetailSchema, type TaskDetail } from '../../contract/task-detail.ts'
import { deed, type Answer } from '../answer.ts'
import type { Client } from '../client/connect.ts'

/** Sends what a person wants of a task; answers with the task afterwards. @throws Stop for a refusal */
export const sendCommand = (client: Client, task: string, body: CommandBody): Promise<TaskDetail> =>
  client.post(routes.commands(task), { body, schema: taskDetailSchema })

/** The answer of a command that was carried out. */
export const carriedOut = (did: string, after: TaskDetail): Answer => ({
  data: after,
  text: deed(did, { next: after.next.says, look: after.next.command ?? undefined }),
})
