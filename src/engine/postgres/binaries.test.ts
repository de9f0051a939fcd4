import { chmod, mkdir, mkdtemp, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findBinaries } from './binaries.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gaffer-binaries-'))
  for (const part of ['native/bin', 'native/lib']) await mkdir(join(folder, part), { recursive: true })
  for (const name of ['initdb', 'postgres']) await writeFile(join(folder, 'native/bin', name), '', { mode: 0o644 })
  const links = ['libpq.so', 'libpq.so.5'].map((name) => ({
    source: 'native/lib/libpq.so.5.18',
    target: `native/lib/${name}`,
  }))
  await writeFile(join(folder, 'native/pg-symlinks.json'), JSON.stringify(links))
  await writeFile(join(folder, 'native/lib/libpq.so.5.18'), '')
})
afterEach(async () => {
  await chmod(join(folder, 'native/lib'), 0o755)
  await rm(folder, { recursive: true, force: true })
})

test('what the install script would have done is done at the first start, however many start at once', async () => {
  const [binaries] = await Promise.all(Array.from({ length: 5 }, () => findBinaries(folder)))
  expect(await findBinaries(folder)).toEqual(binaries)
  expect(await readlink(join(folder, 'native/lib/libpq.so'))).toBe('libpq.so.5.18')
  expect(await readlink(join(folder, 'native/lib/libpq.so.5'))).toBe('libpq.so.5.18')
  expect((await stat(binaries?.postgres ?? '')).mode & 0o111).not.toBe(0)
})

test('programs that are not there are a Fault that says what to do', async () => {
  await rm(join(folder, 'native/bin/postgres'))
  await expect(findBinaries(folder)).rejects.toMatchObject({
    code: 'database-unavailable',
    hint: expect.stringContaining('DATABASE_URL') as unknown,
  })
})
