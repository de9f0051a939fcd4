export interface Report {
  readonly title: string
  readonly rows: readonly Row[]
  /** Everything that was measured, in milliseconds, by name. */
  readonly samples: Readonly<Record<string, readonly number[]>>
}
export interface Row {
  readonly what: string
  readonly value: string
  readonly target: string | null
}

/** Of an even number of samples, the mean of the two in the middle. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}

export const ms = (value: number): string => `${value.toFixed(1)} ms`
