import { pageLinkSchema } from '../../contract/health.ts'
import { routes } from '../../contract/routes.ts'
import type { Answer } from '../answer.ts'
import { connect } from '../client/connect.ts'
import type { Context } from '../context.ts'
import { showUnconfined } from '../render/show-unconfined.ts'
import { usage } from '../stop.ts'
import type { Running } from '../wiring.ts'

export interface UpCommandOptions {
  readonly port?: string
}

/** `gaffer up`: serves until it is told to end. */
export async function up(context: Context, { port }: UpCommandOptions): Promise<Answer> {
  const number = port === undefined ? null : Number(port)
  if (number !== null && !(Number.isInteger(number) && number >= 1 && number <= 65_535))
    throw usage(
      'Gaffer did not start',
      `${port} is no port`,
      'name one from 1 to 65535, or leave `--port` out for a free one',
    )
  const running = await started(context, async () => (await context.wiring()).up({ data: context.data, port: number }))
  const { url, pageUrl, protection } = running
  const said = { url, pageUrl, data: context.data, pid: process.pid, protection }
  context.say(`Gaffer serves on ${context.paint.strong(running.url)}`, said)
  context.say(`look  ${running.pageUrl}`)
  context.say(`data  ${context.data}`)
  if (protection.kind === 'unconfined') context.say(showUnconfined(protection, context.paint))
  context.say('next  in your repository: gaffer delegate BRIEF    (Ctrl-C ends this)')
  await running.stopped
  return { data: { stopped: true }, text: ['stopped; nothing is lost, `gaffer up` goes on where it was'] }
}

/** `gaffer worker`: works on the tasks of a database until it is told to end. */
export async function worker(context: Context): Promise<Answer> {
  const running = await started(context, async () => (await context.wiring()).worker({ data: context.data }))
  context.say('this worker takes tasks    (Ctrl-C ends it)', { working: true, pid: process.pid })
  await running.stopped
  return { data: { stopped: true }, text: ['stopped; what it was doing is taken over by the others'] }
}

/** Starts, and ends cleanly when it is told to: a signal that comes while it still starts counts too. */
async function started<Kind extends Running>({ terminal }: Context, start: () => Promise<Kind>): Promise<Kind> {
  const { promise: told, resolve: tell } = Promise.withResolvers<void>()
  terminal.onStop(tell)
  const running = await start()
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  void told.then(() => running.stop()).catch(fail)
  return { ...running, stopped: Promise.race([running.stopped, failed]) }
}

/** `gaffer page`: a fresh link to the status page; each opens it once. */
export async function page(context: Context): Promise<Answer> {
  const link = await (await connect(context.data)).post(routes.pageKeys, { schema: pageLinkSchema })
  return { data: link, text: [link.url] }
}
