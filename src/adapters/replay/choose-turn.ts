import { headerTokens } from './header.ts'
import type { ReplaySession, ReplayTurn } from './step.ts'

/** `used` counts the turns without `when` that this session has had; it only grows when one of them is chosen. */
export interface Chosen {
  readonly turn: ReplayTurn | undefined
  readonly used: number
}

/**
 * Which turn answers a prompt: the first whose tokens are all in the prompt's header, so that a turn played again after
 * a crash is the same turn; else the next of those with no `when`.
 */
export function chooseTurn({ turns }: ReplaySession, prompt: string, used: number): Chosen {
  const header = new Set(headerTokens(prompt))
  const matching = turns.find(({ when }) => when !== null && tokens(when).every((token) => header.has(token)))
  if (matching !== undefined) return { turn: matching, used }
  const next = turns.filter(({ when }) => when === null)[used]
  return next === undefined ? { turn: undefined, used } : { turn: next, used: used + 1 }
}

const tokens = (when: string): readonly string[] => when.split(/\s+/).filter((token) => token !== '')
