/**
 * Text without control characters but tab and line break, and with the Unicode line separators as line breaks: git
 * objects end at a NUL, terminals obey escapes, and some line readers split where JSON does not.
 */
export const visible = (text: string): string =>
  text.replaceAll(/\r\n?|[\u2028\u2029\u0085]/g, '\n').replaceAll(/(?![\t\n])\p{Cc}/gu, '')

/** On one line. */
export const oneLine = (text: string): string => visible(text).replaceAll(/\s+/g, ' ').trim()
