import type { Json } from '../../domain/json.ts'

/** One thing the replay agent does. Paths are relative to the workspace; nothing keeps them inside it. */
export type Step =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'think'; readonly text: string }
  /** Says a value as JSON in a fence. */
  | { readonly kind: 'answer'; readonly value: Json }
  | { readonly kind: 'write'; readonly path: string; readonly content: string }
  /** `find` has to occur exactly once. */
  | { readonly kind: 'edit'; readonly path: string; readonly find: string; readonly replace: string }
  /** A file or a folder; folders that are empty afterwards go too, as in git. */
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  /** A shell command; whether it fails is reported and changes nothing. */
  | { readonly kind: 'run'; readonly command: string }
  | {
      readonly kind: 'ask'
      readonly title: string
      readonly about: string
      readonly path: string | null
      readonly onAllow: readonly Step[]
      readonly onDeny: readonly Step[]
    }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'crash'; readonly code: number }
  | { readonly kind: 'hang' }
  /** Leaves a process running that is not ours any more. */
  | { readonly kind: 'spawn'; readonly command: string }
  | { readonly kind: 'flood'; readonly bytes: number }

export interface ReplayTurn {
  /** Tokens that all have to be in the prompt's header; null: the turn is used in order, for prompts that match none. */
  readonly when: string | null
  readonly steps: readonly Step[]
}

/** What a session file says. */
export interface ReplaySession {
  /** The name the agent reports. */
  readonly model: string
  readonly turns: readonly ReplayTurn[]
}
