import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/repositories.ts'
import { readReport, reportPathSchema } from './report-file.ts'

const read = async (make: (folder: string) => Promise<unknown>, path = 'a.xml') => {
  await using place = await temporaryFolder()
  const folder = join(place.path, 'reports')
  await mkdir(folder)
  await writeFile(join(place.path, 'outside.xml'), 'secret')
  await make(folder)
  return await readReport({ folder, path, startedAt: Date.now() - 60_000 })
}

describe('a report', () => {
  test('is read as it is', async () => {
    expect(await read((folder) => writeFile(join(folder, 'a.xml'), 'text'))).toEqual({ kind: 'read', content: 'text' })
  })
  test('that was not written is absent', async () => {
    expect(await read(async () => undefined)).toMatchObject({ kind: 'absent' })
    expect(await read(async () => undefined, 'x/a.xml')).toMatchObject({ kind: 'absent' })
  })
  test('that is empty is absent', async () => {
    expect(await read((folder) => writeFile(join(folder, 'a.xml'), ''))).toMatchObject({ kind: 'absent' })
  })

  const unusable: Record<string, (folder: string) => Promise<unknown>> = {
    'that is a symlink': (folder) => symlink('../outside.xml', join(folder, 'a.xml')),
    'that is a folder': (folder) => mkdir(join(folder, 'a.xml')),
    'that is a pipe': async (folder) => execFileSync('mkfifo', [join(folder, 'a.xml')]),
    'that is older than the run': async (folder) => {
      await writeFile(join(folder, 'a.xml'), 'text')
      await utimes(join(folder, 'a.xml'), 1_000, 1_000)
    },
  }
  for (const [name, make] of Object.entries(unusable))
    test(`${name} is unusable`, async () => expect(await read(make)).toMatchObject({ kind: 'unusable' }))

  test('behind a symlink to a folder is unusable', async () => {
    expect(await read((folder) => symlink('..', join(folder, 'x')), 'x/outside.xml')).toMatchObject({
      kind: 'unusable',
    })
  })

  test('is declared by a path that stays below its folder', () => {
    for (const path of ['a.xml', 'x/a.xml', './a.xml']) expect(reportPathSchema.safeParse(path).success).toBe(true)
    for (const path of ['../a.xml', '/a.xml', 'x/../../a.xml', ''])
      expect(reportPathSchema.safeParse(path).success).toBe(false)
  })
})
