import type { TestCase, TestFile } from './test-file.ts'

export interface Placed {
  readonly file: TestFile
  readonly test: TestCase
}
export interface Pair {
  readonly before: Placed
  readonly after: Placed
}

/**
 * Finds each case of the base in the change, by what stays the same the longest: its full name in its file, its full
 * name elsewhere, its own name with a like body, a like body under another name. A case found once is not found again.
 */
export function matchCases(
  before: readonly TestFile[],
  after: readonly TestFile[],
): { readonly pairs: readonly Pair[]; readonly lost: readonly Placed[]; readonly added: readonly Placed[] } {
  const pairs: Pair[] = []
  let lost = placed(before)
  let added = placed(after)
  const match = (keyOf: (one: Placed) => string): void => {
    const free = Map.groupBy(added, keyOf)
    const taken = new Set<Placed>()
    lost = lost.filter((one) => {
      const found = free.get(keyOf(one))?.find((other) => !taken.has(other))
      if (found === undefined) return true
      taken.add(found)
      pairs.push({ before: one, after: found })
      return false
    })
    added = added.filter((one) => !taken.has(one))
  }
  const matchLike = (least: number, isPossible: (a: Placed, b: Placed) => boolean): void => {
    if (lost.length * added.length > mostComparisons) return
    for (const one of lost) {
      const best = added
        .filter((other) => isPossible(one, other))
        .map((other) => ({ other, like: likeness(one.test.body.words, other.test.body.words) }))
        .reduce<{ other: Placed; like: number } | undefined>(
          (a, b) => (a !== undefined && a.like >= b.like ? a : b),
          undefined,
        )
      if (best === undefined || best.like < least) continue
      pairs.push({ before: one, after: best.other })
      lost = lost.filter((other) => other !== one)
      added = added.filter((other) => other !== best.other)
    }
  }
  match(({ file, test }) => `${file.path}\n${test.title}`)
  match(({ test }) => test.title)
  matchLike(0.3, (a, b) => a.test.name === b.test.name)
  matchLike(0.6, () => true)
  return { pairs, lost, added }
}

const mostComparisons = 250_000

const placed = (files: readonly TestFile[]): readonly Placed[] =>
  files.flatMap((file) => file.cases.map((test) => ({ file, test })))

/** Dice's coefficient over the words of two bodies, each counted as often as it stands there; from 0 to 1. */
export function likeness(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0
  const counts = new Map<string, number>()
  for (const word of a) counts.set(word, (counts.get(word) ?? 0) + 1)
  let shared = 0
  for (const word of b) {
    const left = counts.get(word) ?? 0
    if (left === 0) continue
    counts.set(word, left - 1)
    shared++
  }
  return (2 * shared) / (a.length + b.length)
}
