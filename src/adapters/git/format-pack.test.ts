import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeBareHub, temporaryFolder, git } from '../../../test/repositories.ts'
import { formatPack } from './format-pack.ts'
import { hashObject } from './objects.ts'

test('a pack holds its objects, of any size and number, as git reads them', async () => {
  await using place = await temporaryFolder()
  const repository = await makeBareHub({ folder: join(place.path, 'r.git') })
  const sizes = fc.constantFrom(0, 1, 15, 16, 17, 2_047, 2_048, 300_000)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(sizes, fc.nat(250)), { maxLength: 300 }), async (wanted) => {
      const contents = wanted.map(([size, seed]) => Buffer.from(`${seed} `.repeat(size).slice(0, size)))
      const objects = new Map(contents.map((content) => [hashObject('sha1', 'blob', content), content]))
      const { name, pack, index } = formatPack(
        [...objects].map(([sha, content]) => ({ sha, kind: 'blob', content })),
        'sha1',
      )
      const at = join(repository.folder, 'objects/pack', name)
      await writeFile(`${at}.pack`, pack)
      await writeFile(`${at}.idx`, index)
      const verified = await git(repository.folder, ['verify-pack', '-v', `${at}.idx`])
      const listed = verified.split('\n').filter((line) => /^[0-9a-f]{40} blob/.test(line))
      expect(listed.map((line) => line.slice(0, 40)).toSorted()).toEqual([...objects.keys()].toSorted())
    }),
    { numRuns: 15 },
  )
})
