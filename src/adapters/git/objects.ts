import { createHash } from 'node:crypto'
import { Fault } from '../../domain/fault.ts'
import { commitSha, treeSha, type CommitSha } from '../../domain/ids.ts'
import type { CommitInfo, CommitInput, FileMode, Person } from '../../ports/repository.ts'

/**
 * Git's objects as bytes, read and written here without a process: a tree is `<mode> <name>NUL<id>` in a row, a
 * commit is header lines, an empty line and the message. https://git-scm.com/docs/gitformat-pack, git-hash-object(1).
 */
export type ObjectFormat = 'sha1' | 'sha256'
export type ObjectKind = 'blob' | 'tree' | 'commit' | 'tag'

export const formatOf = (sha: string): ObjectFormat => (sha.length === 64 ? 'sha256' : 'sha1')

export const hashObject = (format: ObjectFormat, kind: ObjectKind, content: Uint8Array): string =>
  createHash(format).update(`${kind} ${content.length}\0`).update(content).digest('hex')

/** One line of a tree object. A folder's mode is 40000. */
export interface TreeItem {
  readonly name: Buffer
  readonly mode: FileMode | '40000'
  readonly sha: string
}

/** @throws Fault git-failed for bytes that are no tree */
export function parseTree(content: Buffer, format: ObjectFormat): readonly TreeItem[] {
  const idLength = format === 'sha256' ? 32 : 20
  const items: TreeItem[] = []
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at)
    const nul = content.indexOf(0, space)
    const next = nul + 1 + idLength
    if (space < 0 || nul < 0 || next > content.length) throw damaged('a tree')
    const mode = fileMode(content.toString('latin1', at, space))
    items.push({ mode, name: content.subarray(space + 1, nul), sha: content.toString('hex', nul + 1, next) })
    at = next
  }
  return items
}

/** Old repositories hold modes that nobody writes any more (100664); they mean the nearest one of today. */
function fileMode(octal: string): FileMode | '40000' {
  const bits = /^[0-7]{5,6}$/.test(octal) ? Number.parseInt(octal, 8) : 0
  switch (bits & 0o170000) {
    case 0o040000:
      return '40000'
    case 0o100000:
      return (bits & 0o100) === 0 ? '100644' : '100755'
    case 0o120000:
      return '120000'
    case 0o160000:
      return '160000'
    default:
      throw damaged('a tree')
  }
}

export function formatTree(items: readonly TreeItem[]): Buffer {
  const sorted = items.toSorted(compareItems)
  return Buffer.concat(
    sorted.flatMap(({ mode, name, sha }) => [Buffer.from(`${mode} `), name, Buffer.of(0), Buffer.from(sha, 'hex')]),
  )
}

/** Git's order: by bytes, a folder as if its name ended with a slash. */
export const compareItems = (a: TreeItem, b: TreeItem): number => Buffer.compare(sortName(a), sortName(b))
const sortName = ({ name, mode }: TreeItem): Buffer => (mode === '40000' ? Buffer.concat([name, slash]) : name)
const slash = Buffer.from('/')

/** @throws Fault git-failed for bytes that are no commit */
export function parseCommit(sha: CommitSha, content: Buffer): CommitInfo {
  const end = content.indexOf('\n\n')
  const head = content.toString('latin1', 0, end === -1 ? content.length : end)
  const headers = head.split('\n').filter((line) => !line.startsWith(' '))
  const encoding = valueOf(headers, 'encoding')
  const decode = (bytes: Buffer): string => decoderFor(encoding).decode(bytes)
  const person = (line: string): CommitInfo['author'] => parsePerson(decode(Buffer.from(line, 'latin1')))

  const tree = valueOf(headers, 'tree')
  const author = valueOf(headers, 'author')
  const committer = valueOf(headers, 'committer')
  if (tree === undefined || author === undefined || committer === undefined) throw damaged(`commit ${sha}`)
  return {
    sha,
    tree: treeSha(tree),
    parents: headers.filter((line) => line.startsWith('parent ')).map((line) => commitSha(line.slice(7))),
    message: end === -1 ? '' : decode(content.subarray(end + 2)),
    author: person(author),
    committer: person(committer),
  }
}

const valueOf = (headers: readonly string[], name: string): string | undefined =>
  headers.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1)

function decoderFor(encoding: string | undefined): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(encoding ?? 'utf-8', { ignoreBOM: true })
  } catch {
    return new TextDecoder('utf-8', { ignoreBOM: true })
  }
}

function parsePerson(line: string): CommitInfo['author'] {
  const match = /^(.*?) ?<([^>]*)>(?: (-?\d{1,15}))?/.exec(line)
  const seconds = Number(match?.[3] ?? 0)
  const at = new Date(seconds * 1_000)
  return {
    name: match?.[1] ?? line,
    email: match?.[2] ?? '',
    at: Number.isNaN(at.valueOf()) ? new Date(0).toISOString() : at.toISOString(),
  }
}

/**
 * The commit's bytes, the same for the same input.
 * @throws Fault bad-input for a message with a NUL or a date that is none
 */
export function formatCommit({ tree, parents, message, author, committer, at }: CommitInput): Buffer {
  const seconds = Math.floor(Date.parse(at) / 1_000)
  if (!Number.isSafeInteger(seconds) || seconds < 0) throw badCommit(`${JSON.stringify(at)} is no date after 1970`)
  if (message.includes('\0')) throw badCommit('its message has a NUL in it')
  const by = (who: Person): string =>
    `${crudless(who.name, 'a name')} <${crudless(who.email, 'an e-mail')}> ${seconds} +0000`
  const lines = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${by(author)}`,
    `committer ${by(committer)}`,
  ]
  const text = message.toWellFormed()
  return Buffer.from(`${lines.join('\n')}\n\n${text.endsWith('\n') ? text : `${text}\n`}`)
}

/** A name without what would end it early, as git strips it. */
function crudless(text: string, what: string): string {
  const clean = text
    .toWellFormed()
    .replace(/[\0\n<>]/g, '')
    .replace(/^[\p{Cc} .,:;"\\']+|[\p{Cc} .,:;"\\']+$/gu, '')
  if (clean === '')
    throw badCommit(`${JSON.stringify(text)} is no ${what === 'a name' ? 'name' : 'e-mail'} to sign with`)
  return clean
}

const badCommit = (why: string): Fault =>
  new Fault('bad-input', `no commit can be made: ${why}`, { hint: 'give a name, an e-mail, a date and a message' })

export const damaged = (what: string): Fault =>
  new Fault('git-failed', `${what} in the repository is damaged`, {
    hint: 'run git fsck in that repository; a fresh clone of the hub mends it',
  })
