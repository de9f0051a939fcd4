import type { SessionEntry } from '../../ports/agent.ts'
import { whenOf } from './header.ts'
import { formatSession } from './session-file.ts'
import type { ReplaySession, ReplayTurn, Step } from './step.ts'

/** A file that differs after a turn, as the host found it; `content` null: it is gone. */
export interface ChangedFile {
  readonly path: string
  readonly content: string | null
}

/**
 * A recorded session as a session file. What tools an agent called cannot be called again, so a turn becomes what was
 * said and thought, and the changes the host found in the workspace: `changes` has them turn by turn.
 */
export const toReplay = (
  entries: readonly SessionEntry[],
  changes: readonly (readonly ChangedFile[])[],
  model = 'replay',
): string => formatSession(sessionOf(entries, changes, model))

export function sessionOf(
  entries: readonly SessionEntry[],
  changes: readonly (readonly ChangedFile[])[],
  model: string,
): ReplaySession {
  const turns: ReplayTurn[] = []
  let steps: Step[] = []
  const end = (): void => {
    steps.push(...fileSteps(changes[turns.length - 1] ?? []))
  }
  for (const entry of entries) {
    if (entry.kind === 'prompt') {
      if (turns.length > 0) end()
      steps = []
      turns.push({ when: whenOf(entry.text), steps })
    } else if ((entry.kind === 'said' || entry.kind === 'thought') && turns.length > 0) add(steps, entry)
  }
  if (turns.length > 0) end()
  return { model, turns }
}

/** Removals first: a file may have taken the place of a folder. */
const fileSteps = (files: readonly ChangedFile[]): readonly Step[] => [
  ...files.flatMap(({ path, content }): Step[] => (content === null ? [{ kind: 'delete', path }] : [])),
  ...files.flatMap(({ path, content }): Step[] => (content === null ? [] : [{ kind: 'write', path, content }])),
]

/** Agents speak in pieces; pieces in a row are one saying. */
function add(steps: Step[], { kind, text }: Extract<SessionEntry, { kind: 'said' | 'thought' }>): void {
  const step = kind === 'said' ? 'say' : 'think'
  const last = steps.at(-1)
  if (last?.kind === step) steps[steps.length - 1] = { kind: step, text: last.text + text }
  else steps.push({ kind: step, text })
}
