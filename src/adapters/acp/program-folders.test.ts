import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { programFolders } from './program-folders.ts'

let folder = ''
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'gaffer-programs-')))
})
afterEach(() => rm(folder, { recursive: true }))

async function program(path: string): Promise<string> {
  const file = join(folder, path)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, '#!/bin/sh\n')
  await chmod(file, 0o755)
  return file
}

test('a program that npm installed is shown with all the packages beside it', async () => {
  const real = await program('lib/node_modules/@org/agent/bin/agent.js')
  await mkdir(join(folder, 'bin'))
  await symlink(real, join(folder, 'bin', 'agent'))
  expect(await programFolders(['agent', 'acp'], `/nowhere:${join(folder, 'bin')}`)).toEqual([
    join(folder, 'bin'),
    join(folder, 'lib/node_modules'),
  ])
})

test('files that its arguments name by absolute path are shown with their folders', async () => {
  const script = await program('agents/own.mjs')
  expect(await programFolders(['/bin/sh', script, 'relative', '/no/such/file'], '')).toContain(join(folder, 'agents'))
})

test('the home folder is never shown for the sake of a program in it', async () => {
  const folders = await programFolders(['/bin/sh', homedir(), '/', tmpdir()], '')
  expect(folders).not.toContain('/')
  const inHome = await mkdtemp(join(homedir(), '.gaffer-test-'))
  try {
    await writeFile(join(inHome, 'agent'), '')
    await symlink(join(inHome, 'agent'), `${inHome}-agent`)
    expect(await programFolders(['sh', `${inHome}-agent`], '')).toEqual([`${inHome}-agent`, inHome])
  } finally {
    await rm(`${inHome}-agent`, { force: true })
    await rm(inHome, { recursive: true })
  }
})

test('a program that is not there shows nothing', async () => {
  expect(await programFolders(['gaffer-no-such-agent'], '/usr/bin:/bin')).toEqual([])
})
