import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeBareHub, makeRepository, temporaryFolder } from '../../test/repositories.ts'
import { installHook } from './install-hook.ts'

const command = ['/opt/it is/gaffer', "it's"]

describe('installing the hook', () => {
  it('writes it into a repository and into a bare one, and may be repeated', async () => {
    await using place = await temporaryFolder()
    const team = await makeRepository({ folder: join(place.path, 'team'), files: { a: 'a' } })
    const hub = await makeBareHub({ folder: join(place.path, 'hub.git'), from: team })
    for (const [folder, file] of [
      [team.folder, join(team.folder, '.git/hooks/pre-receive')],
      [hub.folder, join(hub.folder, 'hooks/pre-receive')],
    ] as const) {
      for (const _ of [1, 2]) expect(await installHook(folder, command)).toEqual({ kind: 'installed', file })
      expect((await stat(file)).mode & 0o111).toBe(0o111)
      expect(await readFile(file, 'utf8')).toContain(`exec '/opt/it is/gaffer' 'it'\\''s' hook pre-receive\n`)
    }
  })

  it("leaves somebody's own hook alone, and says how to join them", async () => {
    await using place = await temporaryFolder()
    const hub = await makeBareHub({ folder: join(place.path, 'hub.git') })
    const file = join(hub.folder, 'hooks/pre-receive')
    await mkdir(join(hub.folder, 'hooks'), { recursive: true })
    await writeFile(file, '#!/bin/sh\nexit 0\n')
    expect(await installHook(hub.folder, command)).toMatchObject({
      kind: 'taken',
      file,
      todo: expect.stringContaining('hook pre-receive'),
    })
    expect(await readFile(file, 'utf8')).toBe('#!/bin/sh\nexit 0\n')
  })

  it('writes nothing into a folder of hooks that other repositories share', async () => {
    await using place = await temporaryFolder()
    const hub = await makeBareHub({ folder: join(place.path, 'hub.git') })
    await hub.git('config', 'core.hooksPath', join(place.path, 'shared'))
    expect(await installHook(hub.folder, command)).toMatchObject({ kind: 'elsewhere' })
  })

  it('needs a repository', async () => {
    await using place = await temporaryFolder()
    await expect(installHook(place.path, command)).rejects.toMatchObject({ code: 'not-a-repository' })
    await expect(installHook(join(place.path, 'none'), command)).rejects.toMatchObject({ code: 'not-a-repository' })
  })
})
