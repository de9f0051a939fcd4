import type { TreeSha } from '../domain/ids.ts'
import { paths } from '../domain/settings.ts'
import type { SessionEntry } from '../ports/agent.ts'
import type { Repository } from '../ports/repository.ts'

/** A file over this is named in a session's record, and not kept in it. */
const keptBytes = 48 * 1024

/** What a turn changed, for the session's record: enough to play it again. */
export async function changedFiles(
  repository: Repository,
  from: TreeSha,
  to: TreeSha,
): Promise<Extract<SessionEntry, { kind: 'changed' }>> {
  // The plan is the host's: it stands in the trees that are judged, and never in the workspace.
  const changes = (await repository.changes(from, to)).filter(({ path }) => path !== paths.plan)
  const contents = await repository.readMany(
    to,
    changes.flatMap(({ path, after }) => (after === null ? [] : [path])),
  )
  const files: { path: string; content: string | null }[] = []
  const omitted: string[] = []
  for (const { path, after } of changes) {
    const content = after === null ? null : textOf(contents.get(path))
    if (content === undefined) omitted.push(path)
    else files.push({ path, content })
  }
  return { kind: 'changed', files, omitted }
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined || bytes.byteLength > keptBytes) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
