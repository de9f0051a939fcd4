import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isUsableGlob, pathMatcher } from './path-globs.ts'

describe('a glob', () => {
  test.each([
    ['src/billing/**', 'src/billing/evil\u2028.ts'],
    ['src/billing/**', 'src/billing/evil\n.ts'],
    ['src/billing/', 'src/billing/x.ts'],
    ['src/billing', 'src/billing/a/x.ts'],
    ['/src/billing/**', 'src/billing/x.ts'],
    ['./src/billing/**', 'src/billing/x.ts'],
    ['app/(billing)/**', 'app/(billing)/x.ts'],
    ['app/[...slug]/**', 'app/[...slug]/page.ts'],
    ['app/[id]/**', 'app/[id]/page.ts'],
    ['src/**', 'src/.hidden/x.ts'],
    ['{src,test}/**', 'test/x.ts'],
  ])('%j means %j', (glob, path) => {
    expect(pathMatcher([glob])(path)).toBe(true)
  })

  test.each([
    ['src/billing/**', 'src/bills.ts'],
    ['src/billing', 'src/billing2/x.ts'],
    ['test/*.test.ts', 'test/deep/x.test.ts.txt'],
  ])('%j does not mean %j', (glob, path) => {
    expect(pathMatcher([glob])(path)).toBe(false)
  })

  test.each(['', '  ', '/', '!src/a', 'src/{a', 'src/[', 'src\\billing\\**'])('%j cannot be used', (glob) => {
    expect(isUsableGlob(glob)).toBe(false)
  })

  test('of a folder holds whatever name is below it', () => {
    const name = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((text) => !text.includes('/') && !text.includes('\0') && text !== '.' && text !== '..')
    fc.assert(
      fc.property(name, (file) => {
        expect(pathMatcher(['src/pay/**'])(`src/pay/${file}`)).toBe(true)
      }),
    )
  })
})
