/** What a command answers with: for programs, and for people. */
export interface Answer {
  /** Printed whole as one JSON document with `--json`. */
  readonly data: unknown
  readonly text: readonly string[]
  /** 1 where the answer is a no: a commit that does not verify, a check that fails. */
  readonly exit?: 0 | 1
}

/** What was done, what comes next, where to look: the last lines of a command that did something. */
export const deed = (did: string, after: { next?: string | undefined; look?: string | undefined }): string[] => [
  did,
  ...(after.next === undefined ? [] : [`next  ${after.next}`]),
  ...(after.look === undefined ? [] : [`look  ${after.look}`]),
]
