/**
 * The first line of every prompt of Gaffer: `[gaffer] task=orders-endpoint-7k2 stage=build unit=orders-store round=1`.
 * Returns its `key=value` tokens; none when the line is another.
 */
export function headerTokens(prompt: string): readonly string[] {
  const [line = ''] = prompt.split('\n', 1)
  const [tag, ...tokens] = line.trim().split(/\s+/)
  return tag === '[gaffer]' ? tokens.filter((token) => token.includes('=')) : []
}

/** What a turn is known by when it is played again: everything of the header but the task, which is new each time. */
export const whenOf = (prompt: string): string | null =>
  headerTokens(prompt)
    .filter((token) => !token.startsWith('task='))
    .join(' ') || null
