import { mkdir, realpath, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/repositories.ts'
import { leavesWorkspace } from './symlink.ts'

const leaves = (path: string, links: Readonly<Record<string, string>>): boolean =>
  leavesWorkspace(path, (asked) => links[asked])

describe('a symlink leaves the workspace', () => {
  test.each([
    ['an absolute target', 'a', { a: '/etc/passwd' }],
    ['a target above the top', 'a', { a: '..' }],
    ['a target above the top, from below', 'x/y/a', { 'x/y/a': '../../../z' }],
    ['down and up again past the top', 'a', { a: 'b/../../c' }],
    ['through another link', 'a', { a: 'b/c', b: '/etc' }],
    ['through a chain of links', 'a', { a: 'b', b: 'c', c: 'd', d: '../..' }],
    ['because a folder on the way is a link to a shallower place', 'a', { a: 'p/q/../../x', 'p/q': '..' }],
    ["into the workspace's .git", 'a', { a: '.git/config' }],
    ['into .git by another case', 'a', { a: 'b/../.GIT' }],
  ])('by %s', (_, path, links) => expect(leaves(path, links)).toBe(true))

  test.each([
    ['a neighbour', 'a', { a: 'b' }],
    ['what does not exist', 'a', { a: 'none/such' }],
    ['up to the top and not past it', 'x/y/a', { 'x/y/a': '../../z' }],
    ['the top itself', 'x/a', { 'x/a': '..' }],
    ['itself', 'a', { a: 'a' }],
    ['a loop', 'a', { a: 'b', b: 'a' }],
    ['odd spelling', 'a', { a: './/b/./c//' }],
    ['no link at all', 'a', {}],
  ])('not by %s', (_, path, links) => expect(leaves(path, links)).toBe(false))

  test('exactly when the system follows it out', async () => {
    const names = fc.constantFrom('a', 'b', 'c')
    const part = fc.constantFrom('a', 'b', 'c', '..', '.')
    const link = fc.record({
      at: fc.array(names, { minLength: 1, maxLength: 3 }),
      to: fc.array(part, { minLength: 1, maxLength: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(link, { minLength: 1, maxLength: 5 }), async (wanted) => {
        await using place = await temporaryFolder()
        const top = join(place.path, 'x/y/top')
        await mkdir(top, { recursive: true })
        const links: Record<string, string> = {}
        for (const { at, to } of wanted) {
          const path = at.join('/')
          const made = await mkdir(dirname(join(top, path)), { recursive: true })
            .then(() => symlink(to.join('/'), join(top, path)))
            .then(
              () => true,
              () => false,
            )
          // A link made through another link stands somewhere else.
          if (made && (await realpath(dirname(join(top, path)))) === dirname(join(top, path)))
            links[path] = to.join('/')
        }
        await writeFile(join(place.path, 'x/outside'), '')
        for (const path of Object.keys(links)) {
          const end = await realpath(join(top, path)).catch(() => undefined)
          if (end === undefined) continue
          expect((await stat(end)).isDirectory()).toBe(true)
          const isOutside = end !== top && !end.startsWith(`${top}/`)
          // The other way round is stricter than the system: what does not exist yet is taken for a folder.
          expect(isOutside && !leaves(path, links)).toBe(false)
        }
      }),
      { numRuns: 60 },
    )
  })
})
