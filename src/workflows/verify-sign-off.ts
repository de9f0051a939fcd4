import { refuse, type Refusal } from '../domain/fault.ts'
import type { CommitSha } from '../domain/ids.ts'
import { paths } from '../domain/settings.ts'
import type { Task } from '../domain/task/task.ts'
import { openSignatureVerifier } from '../own/signature-verifier.ts'
import type { Repository } from '../ports/repository.ts'

/**
 * Checks a signature before the task hears of it: over the candidate that stands, by the owner, with a key that the
 * protected base allows. Undefined when it is good or when the task itself will say why not.
 */
export async function verifySignOff(
  task: Task,
  { candidate, armoured }: { readonly candidate: CommitSha; readonly armoured: string },
  open: (hub: string) => Promise<Repository>,
): Promise<Refusal | undefined> {
  if (task.state !== 'reviewing' || task.candidate === null || task.candidate.commit !== candidate) return undefined
  const repository = await open(task.hub)
  const { statement, base, commit } = task.candidate
  const { owner } = task.brief
  const allowedSigners = (await repository.read(base, paths.allowedSigners)) ?? ''
  const { at } = (await repository.commitInfo(commit)).committer
  await using verifier = openSignatureVerifier()
  const verdict = await verifier.verify({ statement, armoured, owner, allowedSigners, at })
  if (verdict.kind === 'valid') return undefined
  return refuse(
    'sign',
    verdict.why,
    `sign with the key that ${paths.allowedSigners} gives for ${owner}: \`gaffer sign ${task.id} --key FILE\``,
  )
}
