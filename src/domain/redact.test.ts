import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { holdsToken, redact, redactTexts, secretTexts } from './redact.ts'

const tokens = [
  `-----BEGIN OPENSSH ${'PRIVATE'} KEY-----\nabc\n-----END OPENSSH ${'PRIVATE'} KEY-----`,
  `sk-${'a'.repeat(24)}`,
  `ghp_${'b'.repeat(36)}`,
  `AKIA${'C'.repeat(16)}`,
  `eyJ${'d'.repeat(20)}.${'e'.repeat(20)}.${'f'.repeat(20)}`,
]

describe('an unmistakable token', () => {
  test.each(tokens)('is found wherever it stands: %s', (token) => {
    for (const text of [token, `const key = '${token}'`, `first line\n${token}\n`]) {
      expect(holdsToken(text)).toBe(true)
      expect(holdsToken(text)).toBe(true) // asking leaves nothing behind
      expect(redact(text)).not.toContain(token)
    }
  })

  test('is not what code says about passwords and tokens', () => {
    for (const code of ['password: string', 'const token = readToken(file)', 'secret = process.env.SECRET'])
      expect(holdsToken(code)).toBe(false)
  })
})

describe('values that must not be told', () => {
  test('are gone from every text, as they are and within JSON', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), fc.string(), fc.string(), (secret, before, after) => {
        fc.pre(!'[redacted]'.includes(secret) && !secret.includes('[redacted]'))
        const secrets = secretTexts([secret])
        const plain = redactTexts(`${before}|${secret}|${after}`, secrets)
        expect(plain).toContain('[redacted]')
        expect(redactTexts(JSON.stringify({ text: secret }), secrets)).toBe('{"text":"[redacted]"}')
      }),
    )
  })

  test('are hidden whole when one begins as another does', () => {
    expect(redactTexts('12345678-more', secretTexts(['12345678', '12345678-more']))).toBe('[redacted]')
  })

  test('of less than 8 characters are words', () => {
    expect(secretTexts(['short', '1234567'])).toEqual([])
  })
})
