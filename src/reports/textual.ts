import type { Finding } from '../domain/verdict.ts'
import { quote } from './plain-text.ts'
import { treePath } from './place.ts'

type Line = Pick<Finding, 'rule' | 'level' | 'message'> & { readonly path: string; readonly line: number }

const tsc = /^(?<path>[^\s(][^(]*)\((?<line>\d+),\d+\): (?<level>error|warning) (?<rule>TS\d+): (?<message>.*)$/
const tscPretty = /^(?<path>\S[^:]*):(?<line>\d+):\d+ - (?<level>error|warning) (?<rule>TS\d+): (?<message>.*)$/
/** `file:line:col: message [level/rule]`: eslint and oxlint `unix`, and with no bracket gcc, go vet, ruff, flake8 … */
const unix =
  /^(?<path>[^\s:][^:]*):(?<line>\d+):(?:\d+:)? ?(?<message>.*?)(?: \[(?<level>error|warning)(?:\/(?<rule>[^\]]+))?\])?$/i
/** `stylish`: the file on a line of its own, then indented `line:col  level  message  rule`. */
const stylishFile = /^(?<path>\/\S.*|[^\s:]+\.[A-Za-z]{1,6})$/
const stylish = /^\s+(?<line>\d+):\d+\s+(?<level>error|warning)\s+(?<message>.*?)(?:\s{2,}(?<rule>\S+))?$/

/**
 * Findings in the printed output of compilers and linters. Lines in no known form are left out: the caller falls back
 * on the end of the output when nothing is found.
 */
export function parseTextual(
  output: string,
  { gate, checkout }: { readonly gate: string; readonly checkout: string },
): readonly Finding[] {
  const lines: Line[] = []
  let file = ''
  for (const text of output.split('\n')) {
    const whole = match(tsc, text) ?? match(tscPretty, text) ?? match(unix, text)
    const under = file === '' ? undefined : match(stylish, text)
    if (whole !== undefined) lines.push(lineOf(whole))
    else if (under !== undefined) lines.push(lineOf({ ...under, path: file }))
    else if (!text.startsWith(' ')) file = match(stylishFile, text)?.['path'] ?? ''
  }
  return lines.flatMap(({ path, line, ...said }) => {
    const inside = treePath(path, checkout)
    return inside === null ? [] : [{ gate, ...said, place: { path: inside, line }, mend: null }]
  })
}

const match = (form: RegExp, text: string): Readonly<Record<string, string | undefined>> | undefined =>
  text.length > 2_000 ? undefined : form.exec(text)?.groups

function lineOf(groups: Readonly<Record<string, string | undefined>>): Line {
  return {
    path: groups['path'] ?? '',
    line: Math.max(1, Number(groups['line'])),
    level: groups['level']?.toLowerCase() === 'warning' ? 'warning' : 'error',
    rule: groups['rule'] ?? 'reported',
    message: quote(groups['message'] ?? '', 500) || 'no message',
  }
}
