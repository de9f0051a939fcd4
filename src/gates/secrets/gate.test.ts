import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeChange, judgedChange, said, type Change } from '../../../test/gate-bench.ts'
import { secrets } from './gate.ts'
import { findSecrets } from './patterns.ts'

// Put together here, so that no scanner of this repository takes them for real.
const made = {
  aws: ['AKIA', 'IOSFODNN7ABCDEFG'].join(''),
  github: ['ghp_', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join(''),
  slack: ['xoxb-', '263594206564-2343594206574-FGqddMF8t08v8N7Oq4i57vs1'].join(''),
  key: ['-----BEGIN RSA ', 'PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MaXxPYUi\n'].join(''),
  password: ['Tr0ub4dor', '&3!x'].join(''),
}
const judge = (text: string | Uint8Array, path = 'src/a.ts', more: Partial<Change> = {}) =>
  judgeChange(secrets, { base: {}, tree: { [path]: text }, ...more })

describe('a secret that comes in is found', () => {
  const cases: Record<string, [text: string, path: string]> = {
    'an AWS key id': [`const id = '${made.aws}'`, 'src/a.ts'],
    'a GitHub token': [`x\nconst token = '${made.github}'`, 'src/a.ts'],
    'a Slack token': [`# ${made.slack}`, 'README.md'],
    'a private key': [made.key, 'key.pem'],
    'a password in an assignment': [`const password = '${made.password}'`, 'src/a.ts'],
    'a password in JSON': [`{ "dbPassword": "${made.password}" }`, 'config.json'],
    'a password in an environment file': [`A=1\nDB_PASSWORD=${made.password}\n`, '.env.production'],
    'a password in YAML': [`db:\n  password: ${made.password}\n`, 'config.yml'],
    'a password in a URL': [`postgres://admin:${made.password.replace('&', '')}@db.example.com/app`, 'src/a.ts'],
    'behind a comment that switches secretlint off': [`// secretlint-disable\nconst x = '${made.github}'`, 'src/a.ts'],
    'in a test': [`const token = '${made.github}'`, 'test/a.test.ts'],
  }
  for (const [name, [text, path]] of Object.entries(cases))
    test(`${name}`, async () => {
      const verdict = await judge(text, path)
      expect(verdict.kind).toBe('failed')
      for (const secret of Object.values(made)) expect(JSON.stringify(verdict)).not.toContain(secret.trim())
    })

  test('with its line', async () => {
    expect(said(await judge(`one\ntwo\nconst id = '${made.aws}'\n`))).toEqual(['aws-key-id src/a.ts:3'])
  })

  test('in a binary file', async () => {
    const verdict = await judge(Buffer.from(`\0\0\0${made.aws}\0`), 'a.bin')
    expect(said(verdict)).toEqual(['aws-key-id a.bin'])
    expect(verdict).toMatchObject({ measures: { files: 1, binaryFiles: 1 } })
  })

  test('in a file too long for all rules, which is said', async () => {
    const verdict = await judge(`${'x = 1\n'.repeat(200_000)}${made.aws}`)
    expect(said(verdict)).toEqual(['aws-key-id src/a.ts:200001'])
    expect(verdict).toMatchObject({ measures: { hugeFiles: 1 } })
  })

  test('in UTF-16', async () => {
    const text = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`id = '${made.aws}'`, 'utf16le')])
    expect(said(await judge(text))).toEqual(['aws-key-id src/a.ts:1'])
  })

  test('in a modified file that held another one', async () => {
    const base = { 'src/a.ts': `const id = '${made.aws}'` }
    const tree = { 'src/a.ts': `const id = '${made.aws}'\nconst token = '${made.github}'` }
    expect(said(await judgeChange(secrets, { base, tree }))).toEqual(['github-token src/a.ts:2'])
  })
})

describe('what is no secret passes', () => {
  const honest = [
    `const password = process.env.DB_PASSWORD`,
    `const password = getPassword(user)`,
    `password: 'password'`,
    `const token = 'your-token-here'`,
    `const secret = "changeme123!"`,
    `const apiKey = '\${API_KEY}'`,
    `tokenType: 'application/json'`,
    `const passwordPlaceholder = 'at-least-eight-characters'`,
    `const tokens = ['a', 'b']`,
    `AKIAIOSFODNN7EXAMPLE`,
    `const tokenUrl = 'https://auth.example.com/oauth/token'`,
    `integrity: 'sha512-abcDEF0123456789abcDEF0123456789abcDEF0123456789=='`,
    `const commit = '15599ddca2d3b2b0f3b8f0d9a1b2c3d4e5f60718'`,
    `export const tokenPattern = /[A-Za-z0-9]{20,}/`,
  ]
  for (const text of honest) test(`${text}`, async () => expect(said(await judge(text))).toEqual(['passed']))

  test('a secret that the base holds already, moved to another file', async () => {
    const text = `const id = '${made.aws}'`
    expect(said(await judgeChange(secrets, { base: { 'a.ts': text }, tree: { 'b.ts': text } }))).toEqual(['passed'])
  })

  test('a file that the owner excepts', async () => {
    const options = { except: ['fixtures/**'] }
    expect(said(await judge(made.key, 'fixtures/key.pem', { options }))).toEqual(['not-applicable'])
  })

  test('a deleted file', async () => {
    expect(said(await judgeChange(secrets, { base: { a: made.key }, tree: {} }))).toEqual(['not-applicable'])
  })
})

test('the cache key changes with the content', async () => {
  const readsOf = async (text: string) => secrets.reads(await judgedChange(secrets, { base: {}, tree: { a: text } }))
  expect(await readsOf('1')).toEqual(await readsOf('1'))
  expect(await readsOf('1')).not.toEqual(await readsOf('2'))
})

test('looking for secrets never throws, and names only what is in the text', () => {
  const part = fc.oneof(fc.string(), fc.constantFrom(...Object.values(made), 'password = "', 'token:', '\n', '"'))
  fc.assert(
    fc.property(fc.array(part), fc.constantFrom('a.ts', '.env'), (parts, path) => {
      const text = parts.join('')
      for (const { secret, start } of findSecrets(path, text))
        expect(text.slice(start, start + secret.length)).toBe(secret)
    }),
  )
})
