import { z } from 'zod'
import { toReplay, type ChangedFile } from '../adapters/replay/to-replay.ts'
import type { RecordedSession } from '../cli/wiring.ts'
import type { SessionEntry } from '../ports/agent.ts'

/** The entries that a replay is made of; everything else of a record is passed over. */
const keptSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['prompt', 'said', 'thought']), text: z.string() }),
  z.object({
    kind: z.literal('changed'),
    files: z.array(z.object({ path: z.string(), content: z.string().nullable() })),
    omitted: z.array(z.string()).default([]),
  }),
])

/**
 * Recorded sessions as one session file: what was said, and the changes that the host found after each turn. Files that
 * the record only names (binary, large, or with a secret in them) are named on top: the replay does not write them.
 */
export function replayFileOf(sessions: readonly RecordedSession[]): string {
  const entries: SessionEntry[] = []
  const changes: ChangedFile[][] = []
  const omitted = new Set<string>()
  for (const recorded of sessions.flatMap((session) => session.entries)) {
    const { data: entry } = keptSchema.safeParse(recorded)
    if (entry === undefined) continue
    if (entry.kind === 'changed') {
      changes.at(-1)?.push(...entry.files)
      for (const path of entry.omitted) omitted.add(path)
    } else entries.push(entry)
    if (entry.kind === 'prompt') changes.push([])
  }
  const missing = [...omitted].map((path) => `# changed, and not in the record: ${JSON.stringify(path)}\n`)
  return missing.join('') + toReplay(entries, changes)
}
