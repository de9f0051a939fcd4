/**
 * A command line as words: white space parts them, quotes and backslashes keep them together. Nothing is expanded.
 * @returns undefined when a quote is left open, or there is no word
 */
export function splitCommand(line: string): [string, ...string[]] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? ''
    if (quote !== undefined) {
      if (character === quote) quote = undefined
      else if (character === '\\' && quote === '"' && '"\\'.includes(line[at + 1] ?? ' ')) word += line[++at] ?? ''
      else word += character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (character === '\\') word = (word ?? '') + (line[++at] ?? '')
    else word = (word ?? '') + character
  }
  if (quote !== undefined) return undefined
  if (word !== undefined) words.push(word)
  const [first, ...rest] = words
  return first === undefined || first === '' ? undefined : [first, ...rest]
}
