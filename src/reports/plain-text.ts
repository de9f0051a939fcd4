import { stripVTControlCharacters } from 'node:util'
import { redact } from '../domain/redact.ts'

// Everything that could move a cursor, hide text or end a line early; tab and newline stay.
// oxlint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** Output of a command as plain text: no colours, no control characters. */
export const plainText = (text: string): string =>
  stripVTControlCharacters(text.replaceAll('\r\n', '\n')).replace(unprintable, '')

/** What somebody else wrote, fit for a finding: plain, without secrets, at most `maxChars` characters. */
export function quote(text: string, maxChars = 2_000): string {
  const safe = redact(plainText(text)).trim()
  return safe.length <= maxChars ? safe : `${safe.slice(0, maxChars - 1)}…`
}

/** The end of an output, fit for a finding: at most `maxLines` lines. */
export function tail(text: string, maxLines = 40, maxChars = 4_000): string {
  // Secrets go first: cutting could leave half a key that no pattern knows.
  const lines = redact(plainText(text))
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
  const kept = lines.slice(-maxLines).join('\n')
  return kept.length <= maxChars ? kept : `…${kept.slice(-(maxChars - 1))}`
}
