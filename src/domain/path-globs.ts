import picomatch from 'picomatch'

/**
 * Globs of briefs and settings, by one rule everywhere, and wide where a person may have meant it so: a folder means
 * what is below it (`src/billing`, `src/billing/`), a leading `/` or `./` is the root, `(…)` and `[…]` also stand for
 * folders of that very name, and no character of a file name escapes `*`.
 */
export function pathMatcher(globs: readonly string[], { nocase = false } = {}): (path: string) => boolean {
  const patterns = globs.filter(isUsableGlob).flatMap(spellings)
  if (patterns.length === 0) return () => false
  const matches = picomatch(patterns, { dot: true, nocase, flags: nocase ? 'is' : 's' })
  return (path) => matches(path)
}

function spellings(glob: string): string[] {
  const plain = glob.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '')
  const literal = plain.replaceAll(/[()[\]]/g, String.raw`\$&`)
  return [...new Set([plain, literal])].flatMap((pattern) => [pattern, `${pattern}/**`])
}

/** A glob that can be meant: not empty, not a negation, with no backslash, and with braces and brackets that close. */
export function isUsableGlob(glob: string): boolean {
  if (glob.trim() === '' || /^(?:\.?\/)*$/.test(glob) || glob.startsWith('!') || /\\|(?:^|\/)\.\.(?:\/|$)/.test(glob))
    return false
  return ['()', '[]', '{}'].every(([open = '', close = '']) => glob.split(open).length === glob.split(close).length)
}

export const unusableGlob =
  'is no glob that can be matched: no leading `!`, no `..`, no backslash, and every bracket closed'
