import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commitSha, treeSha } from '../../domain/ids.ts'
import { git, gitTestEnv, temporaryFolder, testPerson, type TemporaryFolder } from '../../../test/repositories.ts'
import { compareItems, formatCommit, formatTree, hashObject, parseCommit, parseTree, type TreeItem } from './objects.ts'

const sha = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const name = fc
  .uint8Array({ minLength: 1, maxLength: 8 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte))))
const mode = fc.constantFrom<TreeItem['mode']>('100644', '100755', '120000', '160000', '40000')
const items = fc.uniqueArray(fc.record({ name, mode, sha }), { selector: (item) => item.name.toString('latin1') })

const outcome = (read: () => unknown): string => {
  try {
    read()
    return 'read'
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown'
  }
}

describe('trees as git writes them', () => {
  test('are read back as they were written, in git order', () => {
    fc.assert(
      fc.property(items, (list) => {
        expect(parseTree(formatTree(list), 'sha1')).toEqual(list.toSorted(compareItems))
      }),
    )
  })

  test('of any bytes are read or refused, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['read', 'Fault']).toContain(outcome(() => parseTree(Buffer.from(bytes), 'sha1')))
      }),
    )
  })
})

describe('objects git agrees about', () => {
  let place: TemporaryFolder
  let folder = ''
  beforeAll(async () => {
    place = await temporaryFolder()
    folder = join(place.path, 'r')
    await mkdir(folder)
    await git(folder, ['init', '--quiet', '--bare'])
  })
  afterAll(() => place.remove())

  const written = (kind: string, content: Buffer): string =>
    execFileSync('git', ['hash-object', '-t', kind, '-w', '--stdin'], { cwd: folder, env: gitTestEnv, input: content })
      .toString()
      .trim()

  test('trees in their order, whatever the names', () => {
    fc.assert(
      fc.property(items, (list) => {
        const input = Buffer.concat(
          list.flatMap((item) => {
            const kind = item.mode === '40000' ? 'tree' : item.mode === '160000' ? 'commit' : 'blob'
            return [Buffer.from(`${item.mode.padStart(6, '0')} ${kind} ${item.sha}\t`), item.name, Buffer.of(0)]
          }),
        )
        const made = execFileSync('git', ['mktree', '-z', '--missing'], { cwd: folder, env: gitTestEnv, input })
          .toString()
          .trim()
        expect(hashObject('sha1', 'tree', formatTree(list))).toBe(made)
      }),
      { numRuns: 40 },
    )
  })

  test('commits with the same people, dates and message', async () => {
    const tree = treeSha(written('tree', Buffer.alloc(0)))
    const at = '2026-03-04T05:06:07.890Z'
    const author = { name: '  Ann <x> "Example", ', email: 'ann@example.com\n' }
    const message = 'feat: ünïcode\n\n  body\n\n'
    const env = {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_AUTHOR_DATE: '1772600767 +0000',
      GIT_COMMITTER_DATE: '1772600767 +0000',
    }
    const ours = formatCommit({ tree, parents: [], message, author, committer: testPerson, at })
    const theirs = execFileSync('git', ['commit-tree', tree], {
      cwd: folder,
      env: { ...gitTestEnv, ...env },
      input: message,
    })
      .toString()
      .trim()
    expect(hashObject('sha1', 'commit', ours)).toBe(theirs)
    expect(written('commit', ours)).toBe(theirs)
    expect(await git(folder, ['fsck', '--strict'])).not.toContain('error')
  })

  test('a commit in another encoding, signed and merged, is read', () => {
    const head = `tree ${'a'.repeat(40)}\nparent ${'b'.repeat(40)}\nparent ${'c'.repeat(40)}\nauthor J\xfcrgen <j@example.com> 1700000000 +0130\ncommitter <> 0 +0000\nencoding ISO-8859-1\ngpgsig -----BEGIN\n tree ${'d'.repeat(40)}\n author evil <e@example.com> 1 +0000\n -----END\n\nm\xfcll\n`
    const commit = parseCommit(commitSha('e'.repeat(40)), Buffer.from(head, 'latin1'))
    expect(commit).toMatchObject({
      tree: 'a'.repeat(40),
      parents: ['b'.repeat(40), 'c'.repeat(40)],
      message: 'müll\n',
      author: { name: 'Jürgen', email: 'j@example.com', at: '2023-11-14T22:13:20.000Z' },
      committer: { name: '', email: '', at: '1970-01-01T00:00:00.000Z' },
    })
  })

  test.each([
    { message: 'a\0b' },
    { at: 'yesterday' },
    { at: '1969-01-01T00:00:00Z' },
    { author: { name: '<>', email: 'a@example.com' } },
    { committer: { name: 'a', email: '\n' } },
  ])('no commit is made with %j', (wrong) => {
    const right = {
      tree: treeSha('a'.repeat(40)),
      parents: [],
      message: 'm',
      author: testPerson,
      committer: testPerson,
      at: '2026-01-01T00:00:00Z',
    }
    expect(() => formatCommit({ ...right, ...wrong })).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })
})
