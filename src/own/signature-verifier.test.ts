import { execFile, execFileSync, spawn } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder, type TemporaryFolder } from '../../test/repositories.ts'
import { email } from '../domain/ids.ts'
import { signWithKey } from './sign-off.ts'
import { openSignatureVerifier, verifySignature, type SignatureCheck } from './signature-verifier.ts'
import { readPlainSignature } from './ssh-signature.ts'

const run = promisify(execFile)
const statement = '{"statement":"what lands"}'
const alice = email('alice@example.com')
let place: TemporaryFolder
let signers = ''
let armoured = ''

const file = (name: string): string => join(place.path, name)
const publicKey = async (name: string): Promise<string> => (await readFile(file(`${name}.pub`), 'utf8')).trim()
const makeKey = (name: string, type: string, passphrase = '') =>
  run('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-f', file(name)])
const sign = (name: string, text = statement): Promise<string> =>
  signWithKey({ keyFile: file(name), statement: text, interactive: false, env: {} })
const check = (more: Partial<SignatureCheck> = {}): SignatureCheck => ({
  statement,
  armoured,
  owner: alice,
  allowedSigners: signers,
  at: '2026-03-01T10:00:00.000Z',
  ...more,
})

beforeAll(async () => {
  place = await temporaryFolder()
  await Promise.all([makeKey('alice', 'ed25519'), makeKey('bob', 'ecdsa'), makeKey('eve', 'ed25519')])
  signers = `${alice} ${await publicKey('alice')}\nbob@example.com ${await publicKey('bob')}\n`
  armoured = await sign('alice')
})
afterAll(() => place.remove())

describe("an owner's signature", () => {
  it('is valid over what was signed, by a key that is allowed to', async () => {
    expect(await verifySignature(check())).toEqual({ kind: 'valid' })
    expect(await verifySignature(check({ owner: email('bob@example.com'), armoured: await sign('bob') }))).toEqual({
      kind: 'valid',
    })
  })

  it.each([
    ['over another text', async () => check({ statement: `${statement} ` })],
    ['of somebody else who is allowed', async () => check({ owner: email('bob@example.com') })],
    ['of somebody nobody allowed', async () => check({ armoured: await sign('eve') })],
    ['with nobody allowed', async () => check({ allowedSigners: '' })],
    ['that is none', async () => check({ armoured: 'nothing' })],
    ['at no time', async () => check({ at: 'yesterday' })],
    ['for another purpose', async () => check({ armoured: await signedFor('git') })],
  ])('%s is invalid', async (_, make) => {
    expect(await verifySignature(await make())).toMatchObject({ kind: 'invalid' })
  })

  it('counts by the options of allowed_signers, at the time of signing', async () => {
    const key = await publicKey('alice')
    const dated = `${alice} valid-after="20260101",valid-before="20260401" ${key}\n`
    expect(await verifySignature(check({ allowedSigners: dated }))).toEqual({ kind: 'valid' })
    expect((await verifySignature(check({ allowedSigners: dated, at: '2026-05-01T00:00:00Z' }))).kind).toBe('invalid')
    expect((await verifySignature(check({ allowedSigners: dated, at: '2025-05-01T00:00:00Z' }))).kind).toBe('invalid')
    const elsewhere = `${alice} namespaces="git" ${key}\n`
    expect((await verifySignature(check({ allowedSigners: elsewhere }))).kind).toBe('invalid')
    const byHour = `${alice} valid-before="20260301100001Z" ${key}\n`
    expect(await verifySignature(check({ allowedSigners: byHour }))).toEqual({ kind: 'valid' })
  })

  it('of a certificate counts when its authority is allowed', async () => {
    await makeKey('ca', 'ed25519')
    await makeKey('carol', 'ed25519')
    await run('ssh-keygen', ['-q', '-s', file('ca'), '-I', 'carol', '-n', 'carol@example.com', file('carol.pub')])
    const authority = `*@example.com cert-authority ${await publicKey('ca')}\n`
    const signature = await signWithKey({
      keyFile: file('carol'),
      statement,
      interactive: false,
      env: {},
    })
    const plain = { owner: email('carol@example.com'), allowedSigners: authority }
    expect((await verifySignature(check({ ...plain, armoured: signature }))).kind).toBe('invalid')
    await writeFile(file('message'), statement)
    await run('ssh-keygen', [
      '-Y',
      'sign',
      '-q',
      '-f',
      file('carol-cert.pub'),
      '-n',
      'gaffer-sign-off',
      file('message'),
    ]).then(async () => {
      const certified = await readFile(file('message.sig'), 'utf8')
      expect(await verifySignature(check({ ...plain, armoured: certified }))).toEqual({ kind: 'valid' })
    })
  })

  it('that fails under a malformed allowed_signers says which line', async () => {
    const text = `bob@example.com ssh-ed25519 broken\n`
    expect(await verifySignature(check({ allowedSigners: text }))).toMatchObject({
      kind: 'invalid',
      why: expect.stringContaining('line 1 of allowed_signers'),
    })
  })

  it('leaves no scratch file behind', async () => {
    const scratch = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('gaffer-signers-'))
    const before = await scratch()
    const verifier = openSignatureVerifier()
    await verifier.verify(check())
    expect((await scratch()).length).toBeGreaterThan(before.length)
    await verifier[Symbol.asyncDispose]()
    expect((await scratch()).filter((name) => !before.includes(name))).toEqual([])
  })
})

describe('signatures of a key that was accepted before', () => {
  it('are judged as ssh-keygen judges them, whatever was changed', async () => {
    await using verifier = openSignatureVerifier()
    expect(await verifier.verify(check())).toEqual({ kind: 'valid' })
    const second = await sign('alice', 'second')
    expect(await verifier.verify(check({ statement: 'second', armoured: second }))).toEqual({ kind: 'valid' })

    const body = armoured.split('\n')
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: body.length - 3 }),
        fc.nat(69),
        fc.base64String({ maxLength: 4 }),
        async (row, column, other) => {
          const lines = [...body]
          const line = lines[row] ?? ''
          lines[row] = line.slice(0, column) + other.slice(0, 1) + line.slice(column + 1)
          const changed = check({ armoured: lines.join('\n') })
          const here = await verifier.verify(changed)
          expect(here.kind).toBe((await verifySignature(changed)).kind)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('do not carry over to another person, another key or another list', async () => {
    await using verifier = openSignatureVerifier()
    expect((await verifier.verify(check())).kind).toBe('valid')
    expect((await verifier.verify(check({ owner: email('bob@example.com') }))).kind).toBe('invalid')
    expect((await verifier.verify(check({ armoured: await sign('eve') }))).kind).toBe('invalid')
    expect((await verifier.verify(check({ allowedSigners: '# nobody\n' }))).kind).toBe('invalid')
    expect((await verifier.verify(check({ statement: 'x' }))).kind).toBe('invalid')
  })

  it('ask ssh-keygen each time where dates decide', async () => {
    await using verifier = openSignatureVerifier()
    const dated = `${alice} valid-before="20260401" ${await publicKey('alice')}\n`
    expect((await verifier.verify(check({ allowedSigners: dated }))).kind).toBe('valid')
    expect((await verifier.verify(check({ allowedSigners: dated, at: '2026-05-01T00:00:00Z' }))).kind).toBe('invalid')
  })
})

describe('the text of a signature', () => {
  it('of any content is a plain one or not, never thrown at', () => {
    const wrap = (text: string): string => `-----BEGIN SSH SIGNATURE-----\n${text}\n-----END SSH SIGNATURE-----\n`
    const nearly = fc.uint8Array({ maxLength: 80 }).map((tail) => {
      const head = Buffer.from('SSHSIG\u0000\u0000\u0000\u0001', 'latin1')
      return wrap(Buffer.concat([head, tail]).toString('base64'))
    })
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String().map(wrap), nearly), (text) => {
        expect(readPlainSignature(text)).toBeUndefined()
      }),
      { numRuns: 1_000 },
    )
    expect(readPlainSignature(armoured)?.matches(statement)).toBe(true)
    expect(readPlainSignature(armoured)?.matches(`${statement}x`)).toBe(false)
  })
})

describe('signing', () => {
  const signing = (keyFile: string, env: Record<string, string> = {}) =>
    signWithKey({ keyFile, statement, interactive: false, env })

  it('says what is wrong with a key that is not there, open to others, no key, or locked', async () => {
    await expect(signing(file('none'))).rejects.toMatchObject({
      code: 'signing-failed',
      hint: expect.stringContaining('--key'),
    })
    await writeFile(file('open'), 'x', { mode: 0o644 })
    await expect(signing(file('open'))).rejects.toMatchObject({
      code: 'signing-failed',
      hint: expect.stringContaining('chmod 600'),
    })
    await writeFile(file('text'), 'not a key', { mode: 0o600 })
    await expect(signing(file('text'))).rejects.toMatchObject({
      code: 'signing-failed',
      hint: expect.stringContaining('private key'),
    })
    await makeKey('locked', 'ed25519', 'a pass phrase')
    await expect(signing(file('locked'))).rejects.toMatchObject({
      code: 'signing-failed',
      hint: expect.stringContaining('ssh-add'),
    })
  })

  it('works with a key that an agent holds, named by its public half', async () => {
    await makeKey('held', 'ed25519')
    const socket = file('agent.sock')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = new Promise((done) => agent.once('exit', done))
    try {
      await new Promise((ready) => agent.stdout.once('data', ready))
      execFileSync('ssh-add', ['-q', file('held')], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
      await run('rm', [file('held')])
      const signature = await signing(file('held.pub'), { SSH_AUTH_SOCK: socket })
      const allowedSigners = `${alice} ${await publicKey('held')}\n`
      expect(await verifySignature(check({ armoured: signature, allowedSigners }))).toEqual({ kind: 'valid' })
      await expect(signing(file('held.pub'))).rejects.toMatchObject({ hint: expect.stringContaining('SSH agent') })
    } finally {
      agent.kill()
      await ended
    }
  })
})

async function signedFor(namespace: string): Promise<string> {
  await writeFile(file('other'), statement)
  await run('ssh-keygen', ['-Y', 'sign', '-q', '-f', file('alice'), '-n', namespace, file('other')])
  const signature = await readFile(file('other.sig'), 'utf8')
  await run('rm', [file('other.sig')])
  return signature
}
