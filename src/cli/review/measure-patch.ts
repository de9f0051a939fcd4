export interface PatchSize {
  readonly files: readonly { readonly path: string; readonly added: number; readonly removed: number }[]
  readonly added: number
  readonly removed: number
}

/** Lines added and removed by a unified diff, file by file. Pure; hunks are counted by what they announce. */
export function measurePatch(patch: string): PatchSize {
  const files: { path: string; added: number; removed: number }[] = []
  let left = { before: 0, after: 0 }
  for (const line of patch.split('\n')) {
    if (left.before > 0 || left.after > 0) {
      const file = files.at(-1)
      const sign = line[0] ?? ' '
      if (sign === '\\') continue
      if (sign !== '+') left.before -= 1
      if (sign !== '-') left.after -= 1
      if (file !== undefined && sign === '+') file.added += 1
      if (file !== undefined && sign === '-') file.removed += 1
      continue
    }
    const header = /^diff --git (?:"?a\/.*?"?) (?:"?b\/(.*?)"?)$/.exec(line)
    if (header !== null) files.push({ path: header[1] ?? '', added: 0, removed: 0 })
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line)
    if (hunk !== null) left = { before: Number(hunk[1] ?? 1), after: Number(hunk[2] ?? 1) }
  }
  const sum = (of: 'added' | 'removed'): number => files.reduce((total, file) => total + file[of], 0)
  return { files, added: sum('added'), removed: sum('removed') }
}
