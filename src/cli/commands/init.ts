import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Fault } from '../../domain/fault.ts'
import { deed, type Answer } from '../answer.ts'
import type { Context } from '../context.ts'
import { git } from '../git.ts'
import { findKey } from '../init/find-key.ts'
import { lookAround, writtenPaths, type Surroundings } from '../init/look-around.ts'
import { planInit, type PlannedFile } from '../init/plan-init.ts'
import type { InitAgent } from '../init/settings-text.ts'
import { splitCommand } from '../init/split-command.ts'
import { columns } from '../render/layout.ts'
import { refusal, usage } from '../stop.ts'

export interface InitOptions {
  readonly owner?: string
  readonly key?: string
  readonly agentCommand?: string
  readonly commit?: boolean
}

/** `gaffer init`: done again, it changes nothing. */
export async function init(context: Context, options: InitOptions): Promise<Answer> {
  const around = await lookAround(context.cwd)
  const owner = ownerOf(options.owner ?? (await context.person()))
  const key = await findKey(context, options.key)
  if (options.commit === true) mayCommit(around)
  const plan = planInit({
    branch: around.branch,
    owner,
    publicKey: key.publicKey,
    evidenceKey: await (await context.wiring()).evidenceKey({ data: context.data }),
    agent: agentOf(options.agentCommand),
    files: around.files,
    tracked: around.tracked,
  })
  if (plan.kind === 'refused') throw refusal('nothing was written', plan.why, plan.todo)

  await write(around.root, plan.files)
  const commit = options.commit === true ? await commitFiles(around.root) : null
  const notes = [...plan.notes, ...placeNotes(around, options.commit === true)]
  const word = { write: 'written', extend: 'extended', keep: 'kept' }
  return {
    data: {
      root: around.root,
      branch: around.branch,
      owner,
      key: key.from,
      files: plan.files.map(({ path, change }) => ({ path, change })),
      commit,
      notes,
    },
    text: [
      ...columns(
        plan.files.map(({ path, change }) => [context.paint[change === 'keep' ? 'soft' : 'good'](word[change]), path]),
      ),
      '',
      `${owner} signs with ${key.from}`,
      ...notes.map((note) => `${context.paint.needed('note')}  ${note}`),
      ...deed(did(plan.files, commit), { next: nextStep(options.commit === true), look: 'gaffer doctor' }),
    ],
  }
}

function ownerOf(address: string): string {
  if (/^[^\s@<>",!*?]+@[^\s@<>",!*?]+$/.test(address)) return address
  throw usage('nothing was written', `${address} is not an e-mail address`, 'name the owner: `--owner EMAIL`')
}

function agentOf(line: string | undefined): InitAgent | null {
  if (line === undefined) return null
  const command = splitCommand(line)
  if (command === undefined)
    throw usage(
      'nothing was written',
      `${line} is no command line`,
      'write it as you would type it: `--agent-command "opencode acp"`',
    )
  const name = basename(command[0])
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return { name: name === '' ? 'agent' : name, command }
}

function mayCommit({ current, changed }: Surroundings): void {
  if (current === null)
    throw refusal(
      'nothing was written',
      'HEAD is detached: a commit here would be on no branch',
      'check out the branch first, or leave `--commit` out',
    )
  if (changed.length > 0)
    throw refusal(
      'nothing was written',
      `${changed.join(', ')} has changes of yours that are not committed`,
      'commit or put them aside first, or leave `--commit` out',
    )
}

function placeNotes({ current, branch, unborn }: Surroundings, committed: boolean): string[] {
  if (unborn && !committed) return ['there is no commit yet: make the first one with these files in it']
  if (current === null) return [`HEAD is detached: these files count once they are on ${branch}`]
  return current === branch ? [] : [`you are on ${current}: these files count once they are on ${branch}`]
}

const did = (files: readonly PlannedFile[], commit: string | null): string => {
  if (commit !== null) return `committed as ${commit.slice(0, 10)}`
  return files.every(({ change }) => change === 'keep') ? 'nothing had to be changed' : 'prepared this repository'
}
const nextStep = (committed: boolean): string =>
  committed ? 'start Gaffer: gaffer up' : 'read what was written, commit it, and start Gaffer: gaffer up'

async function write(root: string, files: readonly PlannedFile[]): Promise<void> {
  for (const { path, content, change } of files) {
    if (change === 'keep') continue
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
}

/** A commit of these files and of nothing else, whatever else is staged. null when they are committed already. */
async function commitFiles(root: string): Promise<string | null> {
  const ran = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await git(root, args)
    if (code === 0) return stdout
    throw new Fault('git-failed', `git ${args[0]} failed: ${(stderr || stdout).trim().split('\n').at(-1) ?? ''}`, {
      hint: 'the files are written: commit them yourself',
    })
  }
  await ran(['add', '--', ...writtenPaths])
  const pending = await ran(['status', '--porcelain=v1', '--untracked-files=no', '--', ...writtenPaths])
  if (pending.trim() === '') return null
  await ran([
    'commit',
    '--quiet',
    '--message',
    'chore: let Gaffer look after this repository',
    '--only',
    '--',
    ...writtenPaths,
  ])
  return (await ran(['rev-parse', 'HEAD'])).trim()
}
