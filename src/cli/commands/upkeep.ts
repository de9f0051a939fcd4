import { resolve } from 'node:path'
import { deed, type Answer } from '../answer.ts'
import type { Context } from '../context.ts'
import { columns, plural } from '../render/layout.ts'
import { oneLine, printable } from '../render/printable.ts'
import { refusal } from '../stop.ts'

/** `gaffer rebuild`: exit 1 when a stream was edited behind our back. */
export async function rebuild(context: Context): Promise<Answer> {
  const rebuilt = await (await context.wiring()).rebuild({ data: context.data })
  const { tasks, events, tampered } = rebuilt
  return {
    data: { ok: tampered.length === 0, ...rebuilt },
    text: [
      ...columns(
        tampered.map(({ stream, version, why }) => [
          context.paint.bad('tampered'),
          oneLine(stream),
          `#${version}`,
          oneLine(why),
        ]),
      ),
      ...deed(`rebuilt ${plural(tasks, 'task')} from ${plural(events, 'event')}`, {
        next:
          tampered.length > 0 ? 'these streams are not what was written: restore the database from a copy' : undefined,
        look: 'gaffer status',
      }),
    ],
    exit: tampered.length === 0 ? 0 : 1,
  }
}

/** `gaffer hook pre-receive`: what git runs before it takes a push. Says why on standard error, which git passes on. */
export async function preReceive(context: Context): Promise<Answer> {
  const judgement = await (
    await context.wiring()
  ).preReceive({ folder: context.cwd, updates: await context.terminal.input() })
  if (!judgement.ok && !context.json)
    for (const line of judgement.lines) context.terminal.err(`gaffer: ${printable(line)}\n`)
  return { data: judgement, text: [], exit: judgement.ok ? 0 : 1 }
}

/** `gaffer hook install` */
export async function installHook(context: Context): Promise<Answer> {
  const installed = await (await context.wiring()).installHook({ folder: context.cwd })
  if (installed.kind === 'refused') throw refusal(installed.what, installed.why, installed.todo)
  return {
    data: installed,
    text: deed(`installed ${installed.path}`, { next: 'pushes to the protected branch are verified' }),
  }
}

/** `gaffer replay FILE`: is the replay agent. Prints nothing of its own: standard output belongs to ACP. */
export async function replay(context: Context, file: string): Promise<number> {
  return (await context.wiring()).replay({ file: resolve(context.cwd, file) })
}
