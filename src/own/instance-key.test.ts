import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../test/repositories.ts'
import { openEnvelope, readEvidenceKeys, sealEnvelope } from './dsse.ts'
import { loadInstanceKey } from './instance-key.ts'

describe('the key of an instance', () => {
  it('is made once, for its user alone, and is the same afterwards', async () => {
    await using place = await temporaryFolder()
    const folder = join(place.path, 'data', 'deeper')
    const first = await loadInstanceKey(folder)
    const again = await loadInstanceKey(folder)
    expect(again.publicPem).toBe(first.publicPem)
    expect(again.keyId).toMatch(/^[0-9a-f]{64}$/)
    const [file, ...more] = await readdir(folder)
    expect(more).toEqual([])
    expect((await stat(join(folder, file ?? ''))).mode & 0o777).toBe(0o600)
  })

  it('seals what its public half opens', async () => {
    await using place = await temporaryFolder()
    const key = await loadInstanceKey(place.path)
    const keys = readEvidenceKeys(key.publicPem)
    expect(keys.kind === 'keys' && openEnvelope(Buffer.from(sealEnvelope('x', key)), keys.keys).kind).toBe('verified')
  })

  it('is one key, however many processes ask for it first', async () => {
    await using place = await temporaryFolder()
    const keys = await Promise.all(Array.from({ length: 16 }, () => loadInstanceKey(place.path)))
    expect(new Set(keys.map(({ keyId }) => keyId)).size).toBe(1)
    expect(await readdir(place.path)).toHaveLength(1)
  })

  it('cannot be printed or serialised', async () => {
    await using place = await temporaryFolder()
    const key = await loadInstanceKey(place.path)
    const secret = (await readFile(join(place.path, 'evidence-key.pem'), 'utf8')).split('\n')[1] ?? '?'
    expect(inspect(key, { depth: 9, showHidden: true }) + JSON.stringify(key)).not.toContain(secret)
  })

  it('that others can read, or that is none, is refused with what to do', async () => {
    await using place = await temporaryFolder()
    await loadInstanceKey(place.path)
    const file = join(place.path, 'evidence-key.pem')
    await chmod(file, 0o644)
    await expect(loadInstanceKey(place.path)).rejects.toMatchObject({
      code: 'signing-failed',
      hint: expect.stringContaining('chmod 600'),
    })
    await chmod(file, 0o600)
    await writeFile(file, 'garbage')
    await expect(loadInstanceKey(place.path)).rejects.toMatchObject({
      code: 'signing-failed',
      hint: expect.stringContaining('backup'),
    })
  })

  it('in a place that is no folder is a fault', async () => {
    await using place = await temporaryFolder()
    await writeFile(join(place.path, 'file'), '')
    await expect(loadInstanceKey(join(place.path, 'file'))).rejects.toMatchObject({ code: 'signing-failed' })
    await mkdir(join(place.path, 'odd', 'evidence-key.pem'), { recursive: true, mode: 0o700 })
    await expect(loadInstanceKey(join(place.path, 'odd'))).rejects.toMatchObject({ code: 'signing-failed' })
  })
})
