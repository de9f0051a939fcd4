import { access, constants } from 'node:fs/promises'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { routes } from '../../contract/routes.ts'
import { taskDetailSchema, type TaskDetail } from '../../contract/task-detail.ts'
import type { SignOffPredicate } from '../../domain/evidence.ts'
import type { Answer } from '../answer.ts'
import { connect, type Client } from '../client/connect.ts'
import { showProgress } from '../client/progress.ts'
import type { Context } from '../context.ts'
import { gitLine } from '../git.ts'
import { columns, indent, plural } from '../render/layout.ts'
import { oneLine } from '../render/printable.ts'
import { measurePatch, type PatchSize } from '../review/measure-patch.ts'
import { readStatement } from '../sign/read-statement.ts'
import { refusal, usage } from '../stop.ts'
import { carriedOut, sendCommand } from './send-command.ts'

export interface SignOptions {
  readonly key?: string
  readonly yes?: boolean
  /** Stays until it has landed, or needs a person. */
  readonly wait?: boolean
}

/** `gaffer sign TASK --key FILE`: shows what is signed, signs it here, and hands the signature in. */
export async function sign(context: Context, task: string, options: SignOptions): Promise<Answer> {
  const key = await keyOf(context, options.key)
  const client = await connect(context.data)
  const detail = await readyToSign(context, client, task)
  if (detail.candidate === null)
    throw refusal(
      'nothing was signed',
      `${task} is ${detail.row.state} and has nothing to sign`,
      `${detail.next.says}: \`${detail.next.command ?? `gaffer status ${task}`}\``,
    )
  if (detail.signedBy !== null)
    throw refusal(
      'nothing was signed',
      `${detail.signedBy} has signed ${task} already`,
      `see where it is: \`gaffer status ${task}\``,
    )

  const { commit, tree } = detail.candidate
  const bytes = await client.bytes(routes.statement(task))
  const statement = readStatement(bytes, { task, candidate: commit, tree })
  const size = measurePatch(new TextDecoder().decode(await client.bytes(routes.patch(task))))
  for (const line of showStatement(statement, detail, size, context)) context.say(line)
  await confirm(context, options.yes === true, task)

  const armoured = await (
    await context.wiring()
  ).sign({ statement: exactly(bytes), keyFile: key, interactive: context.interactive, env: context.env })
  const after = await sendCommand(client, task, {
    type: 'sign',
    actor: await context.person(),
    candidate: commit,
    armoured,
  })
  if (options.wait !== true) return carriedOut(`signed ${task}`, after)
  context.say(`signed ${task}`)
  const isOver = ({ turn, row }: TaskDetail): boolean => turn === 'nobody' || row.state === 'blocked'
  const end = isOver(after) ? after : await showProgress(context, client, { task, from: 'now', isOver })
  return { ...carriedOut(`${task} is ${end.row.state}`, end), exit: end.row.state === 'landed' ? 0 : 1 }
}

/** Text that is the same bytes again: what is signed is what was shown, a byte order mark included. */
const exactly = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)

/** The task once its final gates have had their say: who is about to sign may come before them. */
async function readyToSign(context: Context, client: Client, task: string): Promise<TaskDetail> {
  const detail = await client.get(routes.task(task), taskDetailSchema)
  if (detail.row.state !== 'reviewing' || detail.turn !== 'gaffer') return detail
  context.say(`${detail.next.says}; then you sign`)
  return showProgress(context, client, { task, from: 'now', isOver: ({ turn }) => turn !== 'gaffer' })
}

/** The signature's key: named, or the SSH key that git signs with. */
async function keyOf({ cwd, env }: Context, named: string | undefined): Promise<string> {
  const fromGit = async (): Promise<string | undefined> =>
    (await gitLine(cwd, ['config', 'gpg.format'])) === 'ssh'
      ? gitLine(cwd, ['config', '--type=path', 'user.signingkey'])
      : undefined
  const key = named ?? (await fromGit())
  if (key === undefined || key === '')
    throw usage('nothing was signed', 'no key is named', 'name your private SSH key: `--key ~/.ssh/id_ed25519`')
  const path = resolve(cwd, key.startsWith('~/') ? `${env['HOME'] ?? homedir()}${key.slice(1)}` : key)
  await access(path, constants.R_OK).catch(() => {
    throw usage(
      'nothing was signed',
      `there is no key at ${path} that can be read`,
      'name your private SSH key: `--key FILE`',
    )
  })
  return path
}

function showStatement(statement: SignOffPredicate, detail: TaskDetail, size: PatchSize, { paint }: Context): string[] {
  const verdictOf = (gate: string): string => {
    const kept = detail.candidate?.evidence.find((each) => each.gate === gate && each.digest === digests.get(gate))
    if (kept?.verdict === 'passed') return paint.good('passed')
    return kept?.verdict === 'not-applicable' ? paint.soft('not applicable') : 'in the evidence'
  }
  const digests = new Map<string, string>(statement.evidence.map(({ gate, digest }) => [gate, digest]))
  const gates = statement.evidence.map(({ gate, digest }) => [gate, verdictOf(gate), paint.soft(digest.slice(0, 23))])
  const units = detail.units
    .filter((unit) => unit.status === 'checkpointed')
    .map((unit) => [unit.id, oneLine(unit.title)])
  return [
    `${paint.strong(statement.task)}  ${oneLine(statement.title)}`,
    '',
    'you sign, as its owner, that this may land:',
    ...indent(
      columns([
        ['owner', oneLine(statement.owner)],
        ['commit', statement.candidate],
        ['tree', statement.tree],
        ['base', `${statement.base}, on ${detail.branch} of ${oneLine(detail.hub)}`],
        ['change', `+${size.added} -${size.removed} in ${plural(size.files.length, 'file')}`],
      ]),
    ),
    '',
    plural(units.length, 'unit'),
    ...indent(columns(units)),
    '',
    `evidence of ${plural(gates.length, 'gate')} about this very tree`,
    ...indent(columns(gates)),
    '',
  ]
}

async function confirm({ interactive, nonInteractive, terminal }: Context, yes: boolean, task: string): Promise<void> {
  if (yes || nonInteractive) return
  if (!interactive)
    throw usage(
      'nothing was signed',
      'nobody can be asked here',
      'say `--yes` or `--non-interactive` to sign without a question',
    )
  const said = await terminal.ask(`Sign ${task}? It lands afterwards, and that cannot be undone. (yes/no) `)
  if (said.toLowerCase() !== 'yes')
    throw refusal('nothing was signed', 'you did not say yes', `look at the change: \`gaffer review ${task}\``)
}
