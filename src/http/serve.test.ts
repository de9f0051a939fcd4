import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { appUnderTest, token } from '../../test/fakes/served-app.ts'
import { serverFileSchema } from '../contract/server-file.ts'
import { Fault } from '../domain/fault.ts'
import { announce, openToken, withdraw } from './announce.ts'
import { serve } from './serve.ts'

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})
const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), 'gaffer-serve-'))
  undo.push(() => rm(made, { recursive: true, force: true }))
  return made
}

describe('serving', () => {
  it('listens on loopback, on a free port, until it is closed', async () => {
    const { app } = appUnderTest()
    const served = await serve(app, null)
    expect(served.url).toBe(`http://127.0.0.1:${served.port}`)
    expect((await fetch(`${served.url}/api/tasks`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
    await served.close()
    await served.close()
    await expect(fetch(served.url)).rejects.toThrow('fetch failed')
  })

  it('closes with a stream open', async () => {
    const { app } = appUnderTest()
    const served = await serve(app, null)
    const stream = await fetch(`${served.url}/api/stream`, { headers: { authorization: `Bearer ${token}` } })
    expect(stream.status).toBe(200)
    await served.close()
    await stream.body?.cancel().catch(() => {})
  })

  it('says what to do when the port is taken', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    undo.push(() => new Promise((resolve) => taken.close(resolve)))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const fault = await serve(appUnderTest().app, port).catch((error: unknown) => error)
    expect(fault).toBeInstanceOf(Fault)
    expect(fault).toMatchObject({ code: 'port-taken', hint: expect.stringContaining('--port') })
  })
})

describe('where the server is', () => {
  it('is written for its owner only, and taken back by who wrote it', async () => {
    const data = await folder()
    const { tokenFile } = await openToken(data)
    await announce(data, { url: 'http://127.0.0.1:7447', pid: 123, tokenFile })
    for (const file of [join(data, 'server.json'), tokenFile]) expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(serverFileSchema.parse(JSON.parse(await readFile(join(data, 'server.json'), 'utf8')))).toMatchObject({
      pid: 123,
    })
    await withdraw(data, 456)
    expect((await stat(join(data, 'server.json'))).isFile()).toBe(true)
    await withdraw(data, 123)
    await expect(stat(join(data, 'server.json'))).rejects.toThrow('ENOENT')
  })

  it('keeps its token over a restart, and makes a new one where that is spoiled', async () => {
    const data = await folder()
    const first = await openToken(data)
    expect((await openToken(data)).token).toBe(first.token)
    await rm(first.tokenFile)
    expect((await openToken(data)).token).not.toBe(first.token)
  })
})
