import { isUtf8 } from 'node:buffer'
import { Fault } from '../../domain/fault.ts'

/**
 * Git's paths are bytes; ours are text that can be shown and stored anywhere. A path in UTF-8 is itself. A byte that
 * is no UTF-8 becomes `\` and its three octal digits, as git writes it; a backslash that would be taken for such an
 * escape becomes `\134`. So `pathBytes(pathText(bytes))` is `bytes`, and two paths never share a spelling.
 */
export function pathText(bytes: Uint8Array): string {
  const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isUtf8(name) && !name.includes(backslash)) return name.toString('utf8')
  let text = ''
  for (let at = 0; at < name.length;) {
    const length = characterLength(name, at)
    if (length === 0) text += `\\${(name[at] ?? 0).toString(8)}`
    else if (startsEscape.test(name.toString('latin1', at, at + 4))) text += '\\134'
    else text += name.toString('utf8', at, at + length)
    at += Math.max(length, 1)
  }
  return text
}

/** @throws Fault bad-input for a text that is no path of ours (lone surrogates) */
export function pathBytes(path: string): Buffer {
  if (!path.isWellFormed()) throw badPath(path, 'it is not valid Unicode')
  if (!path.includes('\\')) return Buffer.from(path)
  const parts: Buffer[] = []
  let from = 0
  for (const match of path.matchAll(escape)) {
    parts.push(Buffer.from(path.slice(from, match.index)), Buffer.of(Number.parseInt(match[1] ?? '', 8)))
    from = match.index + match[0].length
  }
  return Buffer.concat([...parts, Buffer.from(path.slice(from))])
}

const backslash = 0x5c
const startsEscape = /^\\(?:134|[23][0-7]{2})/
const escape = /\\(134|[23][0-7]{2})/g

/** Bytes of the UTF-8 character at a place; 0 when there is none. */
function characterLength(name: Buffer, at: number): number {
  const first = name[at] ?? 0
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  return isUtf8(name.subarray(at, at + length)) && at + length <= name.length ? length : 0
}

/**
 * The components of a path that may stand in a tree: relative, with no empty, `.` or `..` part and nothing that any
 * system takes for a `.git`.
 * @throws Fault bad-input
 */
export function treePath(path: string): readonly Buffer[] {
  const bytes = pathBytes(path)
  if (bytes.includes(0)) throw badPath(path, 'it has a NUL in it')
  const parts = splitBytes(bytes, slash)
  for (const part of parts) {
    const name = part.toString('latin1')
    if (name === '') throw badPath(path, 'it starts or ends with a slash, or has two in a row')
    if (name === '.' || name === '..') throw badPath(path, `it has a ${name} in it`)
    if (isGitName(part)) throw badPath(path, 'git keeps that name to itself')
  }
  return parts
}

const slash = 0x2f

export function splitBytes(bytes: Buffer, separator: number): readonly Buffer[] {
  const parts: Buffer[] = []
  let from = 0
  for (let at = bytes.indexOf(separator); at !== -1; at = bytes.indexOf(separator, from)) {
    parts.push(bytes.subarray(from, at))
    from = at + 1
  }
  return [...parts, bytes.subarray(from)]
}

/**
 * Whether some file system takes this name for `.git`: any case, NTFS's short name, trailing dots, spaces and
 * streams, HFS+'s ignored characters. The same rules as git's core.protectNTFS and core.protectHFS.
 */
export function isGitName(name: Buffer): boolean {
  const plain = name
    .toString('utf8')
    .replace(ignoredByHfs, '')
    .toLowerCase()
    .replace(/:.*$/s, '')
    .replace(/[ .]+$/, '')
  return plain === '.git' || plain === 'git~1'
}

const ignoredByHfs = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

const badPath = (path: string, why: string): Fault =>
  new Fault('bad-input', `${JSON.stringify(path.slice(0, 200))} is no path in a repository: ${why}`, {
    hint: 'give the path relative to the top of the repository, with / between its parts',
  })
