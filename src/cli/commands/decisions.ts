import { routes } from '../../contract/routes.ts'
import { taskDetailSchema } from '../../contract/task-detail.ts'
import type { Answer } from '../answer.ts'
import { connect } from '../client/connect.ts'
import type { Context } from '../context.ts'
import { oneLine } from '../render/printable.ts'
import { refusal } from '../stop.ts'
import { carriedOut, sendCommand } from './send-command.ts'

/** `gaffer land TASK` */
export async function land(context: Context, task: string): Promise<Answer> {
  const client = await connect(context.data)
  const after = await sendCommand(client, task, { type: 'land', actor: await context.person() })
  return carriedOut(after.row.state === 'landed' ? `landed ${task}` : `asked for the landing of ${task}`, after)
}

/** `gaffer answer TASK [TEXT]`: without a text somebody who can be asked is asked. */
export async function answer(context: Context, task: string, text: string | undefined): Promise<Answer> {
  const client = await connect(context.data)
  const actor = await context.person()
  const said = text ?? (context.interactive ? await asked(context, task) : undefined)
  const after = await sendCommand(client, task, {
    type: 'answer',
    actor,
    text: said === undefined || said.trim() === '' ? null : said,
  })
  return carriedOut(`answered ${task}`, after)

  async function asked({ terminal }: Context, id: string): Promise<string> {
    const { blocked, row } = await client.get(routes.task(id), taskDetailSchema)
    if (blocked === null)
      throw refusal(
        'nothing was answered',
        `${id} is ${row.state} and asks nothing`,
        `see what it waits for: \`gaffer status ${id}\``,
      )
    for (const line of blocked.says) terminal.err(`${oneLine(line)}\n`)
    return terminal.ask(`${oneLine(blocked.unblocks)}\nWhat should the agent know? (nothing: it just goes on) `)
  }
}

/** `gaffer abandon TASK --because TEXT` */
export async function abandon(
  context: Context,
  task: string,
  { because }: { readonly because: string },
): Promise<Answer> {
  const client = await connect(context.data)
  const after = await sendCommand(client, task, { type: 'abandon', actor: await context.person(), because })
  return carriedOut(`abandoned ${task}`, after)
}
