import type { Body, TestFile } from './test-file.ts'

/** What a body asserts in all, with the functions it calls. */
export interface Strength {
  readonly real: number
  readonly weak: number
}

/**
 * Adds to a body what the functions it calls assert, so that moving assertions into a helper takes nothing away.
 * A function is looked up in the file itself, then in the files it imports.
 */
export function strengthOf(body: Body, file: TestFile, imported: readonly TestFile[]): Strength {
  return add(body, new Set())

  function add(inner: Body, above: ReadonlySet<string>): Strength {
    let { real, weak } = inner
    for (const name of inner.calls) {
      const called = above.has(name) ? undefined : find(name)
      if (called === undefined) continue
      const more = add(called, new Set([...above, name]))
      // A helper called `expectOrder` was already counted as one assertion, for its name.
      const counted = /^(?:expect|assert|should|verify|check|ensure|must)[A-Z_]/.test(name) ? Math.min(1, more.real) : 0
      real += more.real - counted
      weak += more.weak
    }
    return { real, weak }
  }

  function find(name: string): Body | undefined {
    const own = name === '' ? undefined : file.functions.get(name)
    return own ?? imported.map(({ functions }) => functions.get(name)).find((one) => one !== undefined)
  }
}
