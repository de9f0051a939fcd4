import { stripVTControlCharacters } from 'node:util'

const width = (text: string): number => Array.from(stripVTControlCharacters(text)).length
const pad = (text: string, to: number): string => text + ' '.repeat(Math.max(0, to - width(text)))

/** Rows in columns, two spaces apart; the last column is as long as it is. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, at) => Math.max(0, ...rows.map((row) => width(row[at] ?? ''))))
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : pad(cell, widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

export const indent = (lines: readonly string[], by = 2): string[] =>
  lines.map((line) => (line === '' ? '' : ' '.repeat(by) + line))

/** A text of several lines, wrapped at words. */
export function wrapped(text: string, to = 96): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines = ['']
    for (const word of paragraph.split(' ')) {
      const last = lines.at(-1) ?? ''
      if (last !== '' && width(last) + 1 + width(word) > to) lines.push(word)
      else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
    }
    return lines
  })
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
export const short = (sha: string): string => sha.slice(0, 10)
