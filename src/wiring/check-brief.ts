import { tmpdir } from 'node:os'
import { createRepositories } from '../adapters/git/repositories.ts'
import { checkBrief, type Surroundings } from '../delegate/brief/check-brief.ts'
import { readBrief } from '../delegate/brief/read-brief.ts'
import type { BriefProblem } from '../domain/brief.ts'
import { Fault } from '../domain/fault.ts'
import { readSettings } from '../domain/read-settings.ts'
import { paths } from '../domain/settings.ts'
import { listSigners, namesSigner } from '../own/allowed-signers.ts'
import type { History } from '../ports/repository.ts'

/** A brief against the repository that `folder` is in; outside of one, by itself. */
export async function checkBriefIn({
  text,
  folder,
}: {
  readonly text: string
  readonly folder: string
}): Promise<readonly BriefProblem[]> {
  const read = readBrief(text)
  if (read.kind === 'unreadable') return read.problems
  return [...read.problems, ...checkBrief(read.brief, text, await surroundings(folder))]
}

async function surroundings(folder: string): Promise<Surroundings> {
  const history = await inspect(folder)
  const head = await history?.resolve('HEAD')
  if (history === undefined || head === undefined) return {}
  const files = (await history.list(head)).map(({ path }) => path)
  const settings = await history.read(head, paths.settings)
  if (settings === undefined) return { files }
  const agents = Object.keys(readSettings(settings).agents)
  const signers = listSigners((await history.read(head, paths.allowedSigners)) ?? '')
  return signers.kind === 'malformed'
    ? { files, agents }
    : { files, agents, canSign: (email) => namesSigner(signers.signers, email) }
}

async function inspect(folder: string): Promise<History | undefined> {
  try {
    return await createRepositories({ folder: tmpdir() }).inspect(folder)
  } catch (error) {
    if (error instanceof Fault && error.code === 'not-a-repository') return undefined
    throw error
  }
}
