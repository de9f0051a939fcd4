import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestRepository, type OpenedRepository } from '../../../test/open-repository.ts'
import { gitTestEnv } from '../../../test/repositories.ts'
import { git } from './run-git.ts'

/** Any name that may stand in a tree, bytes that are no UTF-8 included (in the spelling of pathText). */
const name = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'c',
    '-rf',
    '"q"',
    ' ',
    '*',
    ':(glob)x',
    'ü',
    '\n',
    '\t',
    'caf\\351',
    'x\\134351',
    '.gitignore',
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }).map((text) => text.replace(/[/\0.\\]/g, '_')),
)
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const text = fc.string({ unit: 'grapheme', maxLength: 10 })

/** No path is a folder of another one. */
const files = fc.uniqueArray(fc.tuple(path, text), { selector: ([at]) => at, maxLength: 8 }).map((entries) => {
  const kept = entries.filter(([at]) => !entries.some(([other]) => other !== at && other.startsWith(`${at}/`)))
  return Object.fromEntries(kept)
})

describe.each(['sha1', 'sha256'] as const)('edits in a %s repository', (objectFormat) => {
  let opened: OpenedRepository
  beforeAll(async () => {
    opened = await openTestRepository({ files: { 'README.md': 'x\n' }, objectFormat })
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  test('what is written is listed and read back, for any names', async () => {
    const { repository } = opened
    await fc.assert(
      fc.asyncProperty(files, async (wanted) => {
        const tree = await repository.edit(null, wanted)
        const listed = await repository.list(tree)
        expect(listed.map((entry) => entry.path).toSorted()).toEqual(Object.keys(wanted).toSorted())
        for (const [at, content] of Object.entries(wanted)) expect(await repository.read(tree, at)).toBe(content)
        expect([...(await repository.readMany(tree, Object.keys(wanted))).keys()]).toEqual(Object.keys(wanted))
      }),
      { numRuns: 60 },
    )
  })

  test('an edit on top of another tree is that tree with those files', async () => {
    const { repository } = opened
    await fc.assert(
      fc.asyncProperty(files, files, fc.func(fc.boolean()), async (before, after, removes) => {
        const from = await repository.edit(null, before)
        const removed = Object.keys(before).filter((at) => removes(at))
        const edits = { ...Object.fromEntries(removed.map((at) => [at, null])), ...after }
        const clash = (a: string, b: string): boolean => a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
        const left = Object.entries(before).filter(
          ([at]) => !removed.includes(at) && !Object.keys(after).some((other) => clash(at, other)),
        )
        const edited = await repository.edit(from, edits)
        expect(edited).toBe(await repository.edit(null, { ...Object.fromEntries(left), ...after }))
        const changed = (await repository.changes(from, edited)).map((change) => change.path)
        const expected = new Map([...Object.entries(before), ...Object.entries(after)])
        for (const at of changed) expect(expected.has(at)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('changes are those git tells', async () => {
    const { repository } = opened
    const store = await opened.store()
    await fc.assert(
      fc.asyncProperty(files, files, async (before, after) => {
        const [from, to] = [await repository.edit(null, before), await repository.edit(null, after)]
        const place = { cwd: store.folder, env: gitTestEnv }
        const raw = await git(place, [
          '-c',
          'core.quotePath=true',
          'diff-tree',
          '-r',
          '-z',
          '--name-status',
          '--no-renames',
          from,
          to,
        ])
        const told = raw
          .toString('latin1')
          .split('\0')
          .filter((_, at) => at % 2 === 0)
          .join('')
        const changes = await repository.changes(from, to)
        expect(changes.map(({ kind }) => (kind === 'added' ? 'A' : kind === 'deleted' ? 'D' : 'M')).join('')).toBe(told)
      }),
      { numRuns: 30 },
    )
  })

  test('everything written is sound to git', async () => {
    const store = await opened.store()
    expect(await store.git('fsck', '--strict', '--no-dangling')).toBe('')
  })
})

test('a file that is also a folder is refused, in either order', async () => {
  await using opened = await openTestRepository({ files: { a: 'x' } })
  for (const wrong of [
    { a: '1', 'a/b': '2' },
    { 'a/b': '2', a: '1' },
    { 'x/a/b/c': '1', 'x/a': '2' },
  ])
    await expect(opened.repository.edit(null, wrong)).rejects.toMatchObject({ code: 'bad-input' })
  const tree = await opened.repository.edit(null, { a: '1' })
  const replaced = await opened.repository.edit(tree, { a: null, 'a/b': '2' })
  expect((await opened.repository.list(replaced)).map(({ path: at }) => at)).toEqual(['a/b'])
})

test('removing a folder by its name removes no file', async () => {
  await using opened = await openTestRepository({ files: { 'a/b': 'x' } })
  const tree = await opened.repository.treeOf(opened.main)
  expect(await opened.repository.edit(tree, { a: null })).toBe(tree)
})

test('an edit writes the folders along its paths, however many files there are', async () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`d${at % 30}/e${at % 10}/f${at}`, `${at}`]))
  await using opened = await openTestRepository({ files: { 'README.md': 'x' } })
  const tree = await opened.repository.edit(null, many)
  const objects = async (): Promise<number> => {
    const store = await opened.store()
    return (await readdir(join(store.folder, 'objects'), { recursive: true })).filter((at) => /^..\/.{38}$/.test(at))
      .length
  }
  const before = await objects()
  await opened.repository.edit(tree, { 'd3/e3/new': 'only here' })
  expect((await objects()) - before).toBe(4) // the file and three folders
})
