import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeptOutput } from './output.ts'

const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 40 })

test('output within the limit is kept byte for byte, however it is cut into chunks', () => {
  fc.assert(
    fc.property(chunks, (parts) => {
      const all = Buffer.concat(parts)
      const kept = new KeptOutput(all.length)
      for (const part of parts) kept.add(Buffer.from(part))
      expect(kept.truncated).toBe(false)
      expect(kept.bytes().equals(all)).toBe(true)
    }),
  )
})

test('past the limit the beginning and the end are kept, and what is missing is counted', () => {
  fc.assert(
    fc.property(chunks, fc.integer({ min: 0, max: 200 }), (parts, limit) => {
      const all = Buffer.concat(parts)
      fc.pre(all.length > limit)
      const kept = new KeptOutput(limit)
      for (const part of parts) kept.add(Buffer.from(part))
      const tail = Math.floor(limit / 2)
      const middle = `\n[… ${all.length - limit} bytes left out …]\n`
      expect(kept.truncated).toBe(true)
      const expected = [all.subarray(0, limit - tail), Buffer.from(middle), all.subarray(all.length - tail)]
      expect(kept.bytes().equals(Buffer.concat(expected))).toBe(true)
    }),
  )
})
