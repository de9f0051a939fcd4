import type { Brief } from '../domain/brief.ts'
import type { TaskId } from '../domain/ids.ts'

/** One line of the changelog: what changed, and the task that answers for it. */
export interface ChangelogEntry {
  readonly task: TaskId
  readonly type: Brief['type']
  readonly title: string
}

/** Keep a Changelog 1.1.0, in its order. */
const headings = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'] as const
type Heading = (typeof headings)[number]

/** By type alone: whether something is about security is for people to say, never for us to guess from words. */
const headingOf: Readonly<Record<Brief['type'], Heading>> = {
  feat: 'Added',
  fix: 'Fixed',
  perf: 'Changed',
  refactor: 'Changed',
  docs: 'Changed',
  test: 'Changed',
  build: 'Changed',
  ci: 'Changed',
  chore: 'Changed',
}

const preamble = `# Changelog

All notable changes are listed here, in the form of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).
`

/**
 * The changelog with one entry more, under `## [Unreleased]`; section and heading are made where they are missing.
 * What was there stays byte for byte, in one piece before and one after the insertion. Adding a task's entry twice
 * changes nothing. Pure, and `verify` repeats it for landings on a moved main: another result for the same input would
 * make those that landed before unverifiable.
 * @param text the file; undefined when there is none
 */
export function addChangelogEntry(text: string | undefined, entry: ChangelogEntry): string {
  const before = text === undefined || text.trim() === '' ? preamble : text
  if (holdsEntry(before, entry.task)) return before
  const { at, lines } = place(readLines(before), entry)
  const eol = /\r\n/.test(before) ? '\r\n' : '\n'
  const unfinished = at > 0 && !before.slice(0, at).endsWith('\n') // a last line without its line break
  const inserted = `${unfinished ? eol : ''}${lines.join(eol)}${eol}`
  return before.slice(0, at) + inserted + before.slice(at)
}

const holdsEntry = (text: string, task: TaskId): boolean =>
  text.split(/\r?\n/).some((line) => /^\s*[-*+] /.test(line) && line.trimEnd().endsWith(`(${task})`))

interface Line {
  readonly text: string
  /** Offsets of its first character, and past its line break. */
  readonly from: number
  readonly to: number
  readonly kind: 'section' | 'heading' | 'link' | 'blank' | 'text'
}

interface Insertion {
  readonly at: number
  readonly lines: readonly string[]
}

function place(lines: readonly Line[], entry: ChangelogEntry): Insertion {
  const bullet = `- ${sayOnOneLine(entry.title)} (${entry.task})`
  const heading = headingOf[entry.type]
  const unreleased = lines.findIndex(({ kind, text }) => kind === 'section' && /^##\s+\[?unreleased\b/i.test(text))
  if (unreleased < 0) return newSection(lines, heading, bullet)

  const section = untilNext(lines, unreleased, ['section', 'link'])
  const own = section.findIndex(({ kind, text }) => kind === 'heading' && nameOf(text) === heading.toLowerCase())
  if (own < 0) return newHeading(section, heading, bullet)

  const block = untilNext(section, own, ['heading'])
  const last = lastWritten(block)
  return { at: last.to, lines: block.length > 0 && last === block[0] ? ['', bullet] : [bullet] }
}

function newSection(lines: readonly Line[], heading: Heading, bullet: string): Insertion {
  const section = ['## [Unreleased]', '', `### ${heading}`, '', bullet]
  const next = lines.find(({ kind }) => kind === 'section' || kind === 'link')
  if (next !== undefined) return { at: next.from, lines: [...section, ''] }
  const last = lines.at(-1)
  return { at: last?.to ?? 0, lines: last === undefined || last.kind === 'blank' ? section : ['', ...section] }
}

/** In the order of Keep a Changelog: before the first heading that comes later, else at the section's end. */
function newHeading(section: readonly Line[], heading: Heading, bullet: string): Insertion {
  const rank = (text: string): number => headings.findIndex((name) => name.toLowerCase() === nameOf(text))
  const later = section.find(({ kind, text }) => kind === 'heading' && rank(text) > headings.indexOf(heading))
  if (later !== undefined) return { at: later.from, lines: [`### ${heading}`, '', bullet, ''] }
  return { at: lastWritten(section).to, lines: ['', `### ${heading}`, '', bullet] }
}

const nameOf = (heading: string): string => heading.replace(/^#+/, '').trim().toLowerCase()

/** The line at `from` and those up to the next of such a kind. */
function untilNext(lines: readonly Line[], from: number, kinds: readonly Line['kind'][]): readonly Line[] {
  const end = lines.findIndex((line, index) => index > from && kinds.includes(line.kind))
  return lines.slice(from, end < 0 ? undefined : end)
}

const lastWritten = (lines: readonly Line[]): Line =>
  lines.findLast(({ kind }) => kind !== 'blank') ?? (lines[0] as Line)

function readLines(text: string): readonly Line[] {
  const lines: Line[] = []
  let fence: string | undefined
  for (const found of text.matchAll(/[^\n]*\n|[^\n]+$/g)) {
    const line = found[0].replace(/\r?\n$/, '')
    const marker = /^\s{0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    const fenced = fence !== undefined || marker !== undefined
    if (fence === undefined) fence = marker
    else if (marker?.startsWith(fence) === true && /^\s*[`~]+\s*$/.test(line)) fence = undefined
    const kind = fenced ? 'text' : kindOf(line)
    lines.push({ text: line, from: found.index, to: found.index + found[0].length, kind })
  }
  return lines
}

function kindOf(line: string): Line['kind'] {
  if (line.trim() === '') return 'blank'
  if (/^##\s/.test(line)) return 'section'
  if (/^###\s/.test(line)) return 'heading'
  if (/^\[[^\]]+\]:\s/.test(line)) return 'link'
  return 'text'
}

const sayOnOneLine = (title: string): string => title.replaceAll(/\s+/g, ' ').trim()
