import { spawn } from 'node:child_process'
import { readdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test/repositories.ts'
import { claimFolder } from './claim-folder.ts'
import { up } from './up.ts'

const source = resolve(import.meta.dirname, 'claim-folder.ts')
/** Claims a folder as a process of its own, at once with its rivals, and holds it until its input ends. */
const rival = `
import { claimFolder } from ${JSON.stringify(source)}
const release = await claimFolder(process.argv[1]).catch((error) => void console.log(error.code))
if (release !== undefined) console.log('holds it')
process.stdin.resume().on('end', () => process.exit())
`

test('of two that start at once on one data folder one runs, and the other is told that it is in use', async () => {
  await using place = await temporaryFolder('gaffer-up-')
  const started = await Promise.allSettled([1, 2].map(() => up({ data: place.path, port: null })))
  const running = started.filter((each) => each.status === 'fulfilled').map(({ value }) => value)
  try {
    expect(running).toHaveLength(1)
    expect(started.find((each) => each.status === 'rejected')?.reason).toMatchObject({ code: 'data-folder-in-use' })
    expect((await fetch(`${running[0]?.url}/api/health`)).status).toBe(200)
    expect(['confined', 'unconfined']).toContain(running[0]?.protection.kind)
    await expect(up({ data: place.path, port: null })).rejects.toMatchObject({ code: 'data-folder-in-use' })
  } finally {
    await Promise.all(running.map((each) => each.stop()))
  }
})

test.each([
  ['nobody', undefined],
  ['a process that is gone', '4194305 1\n'],
  ['a claim that says nothing', ''],
])('of many processes that claim a folder at once one gets it, after %s', async (_, before) => {
  await using place = await temporaryFolder('gaffer-claim-')
  if (before !== undefined) await writeFile(join(place.path, 'up.pid'), before)
  const rivals = Array.from({ length: 5 }, () =>
    spawn(process.execPath, ['--input-type=module', '--eval', rival, place.path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  const first = rivals.map((child) => new Promise<string>((said) => child.stdout.once('data', (c) => said(String(c)))))
  const said = await Promise.all(first)
  rivals.forEach((child) => child.stdin.end())
  expect(said.toSorted()).toEqual([...Array<string>(4).fill('data-folder-in-use\n'), 'holds it\n'])
  await Promise.all(rivals.map((child) => text(child.stdout)))
  expect(await readdir(place.path)).toEqual(['up.pid']) // no draft and no right is left behind
})

test('a folder that is given back is free, and giving it back twice takes it from nobody', async () => {
  await using place = await temporaryFolder('gaffer-claim-')
  const release = await claimFolder(place.path)
  await expect(claimFolder(place.path)).rejects.toMatchObject({ code: 'data-folder-in-use' })
  await release()
  const next = await claimFolder(place.path)
  await release()
  await expect(claimFolder(place.path)).rejects.toMatchObject({ code: 'data-folder-in-use' })
  await next()
})
