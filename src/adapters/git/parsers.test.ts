import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commitSha } from '../../domain/ids.ts'
import { parseWorktrees } from './checkout-on-hub.ts'
import { cutPatch, pathspec } from './patch.ts'
import { parseMerge } from './merge.ts'
import { parseAnswer } from './object-reader.ts'
import { compareRefs, hubsWords, isRefName } from './push.ts'
import { parseStatus } from './status.ts'
import { parseRefs } from './store-refs.ts'
import { parseIgnoreSources } from './workspace.ts'

const name = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 ? 0x0a : byte))))
const sha = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const nul = Buffer.of(0)
const noise = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc
    .array(
      fc.constantFrom(
        '1 ',
        '2 ',
        'u ',
        '? ',
        '! ',
        '\0',
        '\n',
        ' ',
        'M.',
        '.D',
        '100644 ',
        'worktree /x',
        'branch refs/heads/a',
        'a'.repeat(40),
        '!\t',
        'remote: ',
      ),
    )
    .map((parts) => Buffer.from(parts.join(''))),
)

describe('what git prints is read whatever stands in names', () => {
  test('status: untracked, ignored and changed paths come back byte by byte', () => {
    const record = fc.record({ kind: fc.constantFrom('?', '!', '1'), path: name, sha })
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const output = Buffer.concat(
          records.flatMap(({ kind, path, sha: id }) => [
            Buffer.from(kind === '1' ? `1 .M N... 100644 100644 100755 ${id} ${id} ` : `${kind} `),
            path,
            nul,
          ]),
        )
        const status = parseStatus(output)
        const of = (kind: string): readonly Buffer[] =>
          records.filter((each) => each.kind === kind).map(({ path }) => path)
        expect(status.untracked).toEqual(of('?'))
        expect(status.ignored).toEqual(of('!'))
        expect(status.changed.map(({ path }) => path)).toEqual(of('1'))
        expect(status.staged).toBe(false)
      }),
    )
  })

  test('status: anything staged or unmerged is told', () => {
    const zeros = '0'.repeat(40)
    expect(parseStatus(Buffer.from(`1 A. N... 000000 100644 100644 ${zeros} ${zeros} x\0`)).staged).toBe(true)
    expect(parseStatus(Buffer.from(`u UU N... 1 1 1 1 ${zeros} ${zeros} ${zeros} x\0`)).staged).toBe(true)
    expect(parseStatus(Buffer.from(`1 .D N... 100644 100644 000000 ${zeros} ${zeros} a b\0`)).changed).toMatchObject([
      { isGone: true, path: Buffer.from('a b') },
    ])
  })

  test('a merge: the tree, or each path in conflict once', () => {
    fc.assert(
      fc.property(sha, fc.array(name), (tree, paths) => {
        const output = Buffer.concat([Buffer.from(tree), nul, ...paths.flatMap((path) => [path, nul])])
        const conflict = parseMerge(output, true)
        expect(conflict.kind === 'conflict' && new Set(conflict.paths).size).toBe(
          new Set(paths.map(String)).size === 0 ? 0 : new Set(paths.map((path) => path.toString('latin1'))).size,
        )
        expect(parseMerge(Buffer.concat([Buffer.from(tree), nul]), false)).toEqual({ kind: 'clean', tree })
      }),
    )
  })

  test('objects: any content, however the answer is cut into pieces', () => {
    fc.assert(
      fc.property(sha, fc.uint8Array({ maxLength: 60 }), fc.nat(130), (id, bytes, cut) => {
        const content = Buffer.from(bytes)
        const whole = Buffer.concat([
          Buffer.from(`${id} blob ${content.length}\n`),
          content,
          Buffer.from('\n'),
          Buffer.from('next'),
        ])
        const length = whole.length - 4
        expect(parseAnswer(whole, true)).toEqual({ kind: 'found', length, object: { sha: id, kind: 'blob', content } })
        const part = parseAnswer(whole.subarray(0, Math.min(cut, length - 1)), true)
        expect(part.kind === 'incomplete' && part.needed > Math.min(cut, length - 1) && part.needed <= length).toBe(
          true,
        )
      }),
    )
  })

  test('objects: what is missing or ambiguous is no object', () => {
    for (const line of ['refs/heads/x missing\n', 'abcd ambiguous\n', '\n'])
      expect(parseAnswer(Buffer.from(line), true)).toEqual({ kind: 'missing', length: line.length })
  })

  test('working trees of a hub, with any path', () => {
    const output = [
      'worktree /a b\nc',
      'HEAD x',
      'branch refs/heads/main',
      '',
      'worktree /bare',
      'bare',
      '',
      'worktree /d',
      'HEAD y',
      'detached',
      'prunable gone',
      '',
      '',
    ].join('\0')
    expect(parseWorktrees(Buffer.from(output))).toEqual([{ path: '/a b\nc', ref: 'refs/heads/main' }])
  })

  test('sources of ignore rules', () => {
    expect(parseIgnoreSources(Buffer.from('a/.gitignore\x001\0*\0a/x\n\0.gitignore\x002\0*.log\0b\0'))).toEqual([
      { source: 'a/.gitignore', path: 'a/x\n' },
      { source: '.gitignore', path: 'b' },
    ])
  })

  test('refs, from for-each-ref and ls-remote', () => {
    const id = 'a'.repeat(40)
    expect([...parseRefs(`${id} refs/heads/a\n${id}\trefs/heads/b\nwarning: x\n${id}\tHEAD\n`).keys()]).toEqual([
      'refs/heads/a',
      'refs/heads/b',
    ])
  })

  test('noise is never more than a wrong answer', () => {
    fc.assert(
      fc.property(noise, (output) => {
        parseStatus(output)
        parseMerge(output, true)
        parseWorktrees(output)
        parseIgnoreSources(output)
        parseRefs(output.toString('utf8'))
        parseAnswer(output, true)
        expect(hubsWords({ stdout: output, stderr: output.toString('utf8') })).not.toMatch(/[^\P{Cc}\n\t]/u)
      }),
    )
  })
})

describe('what a push came to', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((digit) => commitSha(digit.repeat(40)))
  const ref = 'refs/heads/x'
  test.each([
    { is: b, kind: 'pushed' },
    { is: a, kind: 'unmoved' },
    { is: c, kind: 'moved' },
    { is: undefined, kind: 'moved' },
  ])('from a to b with $is on the hub is $kind', ({ is, kind }) => {
    if (a === undefined || b === undefined) throw new Error('no ids')
    expect(compareRefs([{ ref, from: a, to: b }], new Map(is === undefined ? [] : [[ref, is]])).kind).toBe(kind)
  })

  test("a hub's words are told without its terminal codes and secrets", () => {
    const stderr =
      'To /x\nremote: \x1b[31mno\x1b[0m: tests are red\nremote: token=abcdefghijk\nerror: failed to push some refs'
    const stdout = Buffer.from('To /x\n!\tabc:refs/heads/main\t[remote rejected] (pre-receive hook declined)\nDone\n')
    expect(hubsWords({ stderr, stdout })).toBe(
      'no: tests are red\ntoken=[redacted]\n[remote rejected] (pre-receive hook declined)',
    )
  })

  test('ref names are those that git takes', () => {
    for (const right of ['refs/heads/main', 'refs/gaffer/evidence', 'refs/heads/a/b-c.d', 'refs/heads/ü'])
      expect(isRefName(right)).toBe(true)
    for (const wrong of [
      'main',
      'refs/heads',
      'refs/heads/',
      'refs//a',
      'refs/heads/.a',
      'refs/heads/a.lock',
      'refs/heads/a.',
      'refs/heads/a b',
      'refs/heads/a\n',
      'refs/heads/@{x',
      'refs/heads/a^',
      '-refs/heads/a',
    ])
      expect(isRefName(wrong)).toBe(false)
  })
})

describe('a patch', () => {
  test('is cut after a whole line', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), fc.nat(100), (lines, limit) => {
        const patch = Buffer.from(lines.map((line) => `${line.replaceAll('\n', '')}\n`).join(''))
        const cut = cutPatch(patch, limit)
        const kept = cut.includes('[cut here') ? cut.slice(0, cut.lastIndexOf('[cut here')) : cut
        expect(patch.toString('utf8').startsWith(kept)).toBe(true)
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(Math.max(limit, patch.length <= limit ? patch.length : 0))
      }),
    )
  })

  test('names are literal, and bytes that are no text match any one byte', () => {
    expect(pathspec('a*b')).toBe(':(top,literal)a*b')
    expect(pathspec('caf\\351[1]')).toBe(':(top,glob)caf??1?')
  })
})
