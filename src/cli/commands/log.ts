import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  eventListSchema,
  sessionListSchema,
  transcriptSchema,
  type EventOnTheWire,
  type Transcript,
} from '../../contract/events.ts'
import { routes } from '../../contract/routes.ts'
import { deed, type Answer } from '../answer.ts'
import { connect, type Client } from '../client/connect.ts'
import type { Context } from '../context.ts'
import { plural } from '../render/layout.ts'
import { oneLine } from '../render/printable.ts'
import { showEvent } from '../render/show-event.ts'
import { showEntry } from '../render/show-entry.ts'
import { refusal, usage } from '../stop.ts'

export interface LogOptions {
  readonly session?: string
  readonly save?: string
}

/** `gaffer log TASK [--session S] [--save FILE]` */
export async function log(context: Context, task: string, { session, save }: LogOptions): Promise<Answer> {
  const client = await connect(context.data)
  if (save !== undefined) return saveSessions(context, client, { task, session, file: save })
  if (session !== undefined) {
    const transcript = await client.get(routes.session(await knownSession(client, task, session)), transcriptSchema)
    return { data: transcript, text: transcript.entries.flatMap(({ entry }) => showEntry(entry, context.paint)) }
  }
  const { events } = await client.get(routes.events(task), eventListSchema)
  const { sessions } = await client.get(routes.sessions(task), sessionListSchema)
  const listed = sessions.map((name) => `session  ${oneLine(name)}`)
  return {
    data: { events, sessions },
    text: [
      ...events.flatMap((event) => [
        context.paint.soft(heading(event)),
        ...showEvent(event, context.paint).map((line) => `  ${line}`),
      ]),
      ...(listed.length === 0 ? [] : ['', ...listed, `look  gaffer log ${task} --session SESSION`]),
    ],
  }
}

const heading = ({ at, actor, version, hash }: EventOnTheWire): string =>
  `${at}  ${oneLine(actor)}  #${version}  ${hash.slice(0, 23)}`

/** A session may be named by its last part: `plan` for `session/orders-endpoint-7k2/plan`. */
async function knownSession(client: Client, task: string, named: string): Promise<string> {
  const { sessions } = await client.get(routes.sessions(task), sessionListSchema)
  const found = sessions.find((name) => name === named) ?? sessions.find((name) => name.endsWith(`/${named}`))
  if (found !== undefined) return found
  const why =
    sessions.length === 0 ? `${task} has no session yet` : `the sessions of ${task} are ${sessions.join(', ')}`
  throw refusal(`there is no session ${named}`, why, `list them: \`gaffer log ${task}\``)
}

async function saveSessions(
  context: Context,
  client: Client,
  { task, session, file }: { task: string; session: string | undefined; file: string },
): Promise<Answer> {
  const { sessions } = await client.get(routes.sessions(task), sessionListSchema)
  const chosen = session === undefined ? sessions : [await knownSession(client, task, session)]
  if (chosen.length === 0)
    throw refusal('nothing was saved', `${task} has no session yet`, `watch it: \`gaffer watch ${task}\``)
  const transcripts: Transcript[] = []
  for (const name of chosen) transcripts.push(await client.get(routes.session(name), transcriptSchema))
  const recorded = transcripts.map((each) => ({ name: each.session, entries: each.entries.map(({ entry }) => entry) }))
  const text = await (await context.wiring()).replayFile(recorded)
  const path = resolve(context.cwd, file)
  await writeFile(path, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    throw usage(
      `${path} was not written`,
      error.code === 'EEXIST' ? 'it is there already' : error.message,
      'name another file',
    )
  })
  return {
    data: { task, sessions: chosen, file: path },
    text: deed(`saved ${plural(chosen.length, 'session')} of ${task} to ${path}`, { look: `gaffer replay ${file}` }),
  }
}
