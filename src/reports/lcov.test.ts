import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseLcov } from './lcov.ts'

describe('an LCOV tracefile', () => {
  test('gives the hits of each line', () => {
    const text = 'TN:\nSF:src/a.ts\nFN:1,f\nFNDA:2,f\nDA:1,2\nDA:2,0,checksum\nLF:2\nLH:1\nend_of_record\n'
    expect(parseLcov(text)).toEqual({
      files: [
        {
          path: 'src/a.ts',
          lines: new Map([
            [1, 2],
            [2, 0],
          ]),
        },
      ],
    })
  })
  const unreadable = {
    'that ends within a record': 'SF:a\nDA:1,1\n',
    'with a line outside of a record': 'DA:1,1\n',
    'with a line that is none': 'SF:a\nhello\nend_of_record\n',
    'with a number that is none': 'SF:a\nDA:x,1\nend_of_record\n',
  }
  for (const [name, text] of Object.entries(unreadable))
    test(`${name} cannot be read`, () => expect(parseLcov(text)).toBeUndefined())

  test('never throws, and reads back what was written', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseLcov(text)))
    const file = fc.record({
      path: fc.stringMatching(/^[a-z/.]{1,20}$/),
      lines: fc.dictionary(fc.integer({ min: 1, max: 999 }).map(String), fc.nat()),
    })
    fc.assert(
      fc.property(fc.array(file), (files) => {
        const text = files.map(
          ({ path, lines }) =>
            `SF:${path}\n${Object.entries(lines)
              .map(([line, hits]) => `DA:${line},${hits}\n`)
              .join('')}end_of_record\n`,
        )
        const read = parseLcov(text.join(''))?.files.map(({ path, lines }) => ({
          path,
          lines: Object.fromEntries(Array.from(lines, ([line, hits]) => [String(line), hits])),
        }))
        expect(read).toEqual(files.map(({ path, lines }) => ({ path, lines: { ...lines } })))
      }),
    )
  })
})
