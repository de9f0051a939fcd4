// What agents, briefs and repositories say is not trusted with the terminal: no escape sequence, no carriage return
// that overwrites a line, no bidirectional control that shows code in another order than it runs.
// oxlint-disable-next-line no-control-regex
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** The text with everything invisible made visible; newlines and tabs stay. */
export const printable = (text: string): string =>
  text.replaceAll('\r\n', '\n').replace(hidden, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x20 ? String.fromCodePoint(0x2400 + code) : `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
  })

/** In one line. */
export const oneLine = (text: string): string => printable(text).replace(/\s+/g, ' ').trim()
