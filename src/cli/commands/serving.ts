import { pageLinkSchema } from '../../contract/health.ts'
import { routes } from '../../contract/routes.ts'
import type { Answer } from '../answer.ts'
import { connect } from '../client/connect.ts'
import type { Context } from '../context.ts'
import { usage } from '../stop.ts'
import type { Running } from '../wiring.ts'

export interface UpCommandOptions {
  readonly port?: string
}

/** `gaffer up`: serves until it is told to end. */
export async function up(context: Context, { port }: UpCommandOptions): Promise<Answer> {
  const number = port === undefined ? null : Number(port)
  if (number !== null && !(Number.isInteger(number) && number >= 1 && number <= 65_535))
    throw usage('Gaffer did not start', `${port} is no port`, 'name one from 1 to 65535, or leave `--port` out for a free one')
  const running = await (await context.wiring()).up({ data: context.data, port: number })
  const said = { url: running.url, pageUrl: running.pageUrl, data: context.data, pid: process.pid }
  context.say(`Gaffer serves on ${context.paint.strong(running.url)}`, said)
  context.say(`look  ${running.pageUrl}`)
  context.say(`data  ${context.data}`)
  context.say('next  in your repository: gaffer delegate BRIEF    (Ctrl-C ends this)')
  await untilStopped(context, running)
  return { data: { stopped: true }, text: ['stopped; nothing is lost, `gaffer up` goes on where it was'] }
}

/** `gaffer worker`: works on the tasks of a database until it is told to end. */
export async function worker(context: Context): Promise<Answer> {
  const running = await (await context.wiring()).worker({ data: context.data })
  context.say('this worker takes tasks    (Ctrl-C ends it)', { working: true, pid: process.pid })
  await untilStopped(context, running)
  return { data: { stopped: true }, text: ['stopped; what it was doing is taken over by the others'] }
}

async function untilStopped({ terminal }: Context, running: Running): Promise<void> {
  const failed = new Promise<never>((_, reject) => terminal.onStop(() => running.stop().catch(reject)))
  await Promise.race([running.stopped, failed])
}

/** `gaffer page`: a fresh link to the status page; each opens it once. */
export async function page(context: Context): Promise<Answer> {
  const link = await (await connect(context.data)).post(routes.pageKeys, { schema: pageLinkSchema })
  return { data: link, text: [link.url] }
}
