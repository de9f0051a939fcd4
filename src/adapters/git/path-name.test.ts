import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isGitName, pathBytes, pathText, treePath } from './path-name.ts'

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 24 }),
  fc
    .string({ unit: fc.constantFrom('\\', '1', '3', '4', '2', '0', '7', 'é', 'a', '/') })
    .map((text) => Buffer.from(text)),
  fc.array(fc.constantFrom(0x5c, 0x31, 0x33, 0x34, 0xe9, 0xc3, 0xa9, 0x61)).map((list) => Buffer.from(list)),
)

describe('a path as text', () => {
  test('means exactly its bytes', () => {
    fc.assert(
      fc.property(bytes, (path) => {
        expect(pathBytes(pathText(path)).equals(path)).toBe(true)
      }),
    )
  })

  test('is never shared by two paths', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(pathText(a) === pathText(b)).toBe(Buffer.compare(a, b) === 0)
      }),
    )
  })

  test('can be stored anywhere', () => {
    fc.assert(
      fc.property(bytes, (path) => {
        expect(pathText(path).isWellFormed()).toBe(true)
      }),
    )
  })

  test('is itself when it is UTF-8, and shows other bytes as git does', () => {
    expect(pathText(Buffer.from('docs/Überblick ☂.md'))).toBe('docs/Überblick ☂.md')
    expect(pathText(Buffer.from('caf\xe9.txt', 'latin1'))).toBe('caf\\351.txt')
    expect(pathText(Buffer.from('a\\b'))).toBe('a\\b')
    expect(pathText(Buffer.from('a\\351'))).toBe('a\\134351')
  })
})

describe('a path in a tree', () => {
  test('has the components between its slashes', () => {
    expect(treePath('a/ü/-c').map((part) => part.toString())).toEqual(['a', 'ü', '-c'])
  })

  test.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/../b',
    'a/.',
    '.git',
    'a/.Git/b',
    'git~1',
    '.git.',
    '.git ',
    '.g\u200cit',
    '.git::$INDEX_ALLOCATION',
    'a\0',
    '\udc80',
  ])('is refused as %j', (path) => expect(() => treePath(path)).toThrow(expect.objectContaining({ code: 'bad-input' })))

  test('may have any other name', () => {
    for (const path of [
      '.gitignore',
      '.github/x',
      'git',
      '...',
      'a b',
      '"q"',
      "it's",
      'a\nb',
      '-rf',
      '*',
      ':(top)x',
      '\\',
    ])
      expect(treePath(path)).not.toEqual([])
    expect(isGitName(Buffer.from('.gitmodules'))).toBe(false)
  })
})
