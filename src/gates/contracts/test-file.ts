/** What is seen of one test file; plain data, so that comparing is pure. */
export interface TestFile {
  readonly path: string
  readonly cases: readonly TestCase[]
  readonly functions: ReadonlyMap<string, Body>
  /** Modules it imports by a relative path, as written. */
  readonly imports: readonly string[]
  /** Whether a part of it cannot be parsed. */
  readonly isBroken: boolean
}

/** Why a case does not run as it is written. `conditional`: whether it runs is found out at run time. */
export type Mark = 'skip' | 'todo' | 'only' | 'expected-to-fail' | 'conditional'

export interface TestCase {
  readonly name: string
  /** Its name after those of the groups around it. */
  readonly title: string
  readonly line: number
  readonly marks: ReadonlySet<Mark>
  /** Rows of the table it is run for; null when it has none that can be counted. */
  readonly rows: number | null
  readonly body: Body
}

/** What a body of code asserts, by itself and by what it calls. */
export interface Body {
  readonly real: number
  readonly weak: number
  readonly trivial: number
  /** Assertions that can fail and change nothing: after a return, or in a try whose catch says nothing. */
  readonly muted: number
  /** Functions it calls by their plain name, each as often as it does. */
  readonly calls: readonly string[]
  /** Its words, for likeness. */
  readonly words: readonly string[]
}
