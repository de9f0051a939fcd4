import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTimeless, listSigners, namesSigner, type Signer } from './allowed-signers.ts'

const blob = Buffer.concat([
  Buffer.from([0, 0, 0, 11]),
  Buffer.from('ssh-ed25519'),
  Buffer.from([0, 0, 0, 32]),
  Buffer.alloc(32, 7),
]).toString('base64')
const key = `ssh-ed25519 ${blob}`
const signers = (text: string): readonly Signer[] => {
  const list = listSigners(text)
  if (list.kind === 'malformed') throw new Error(`line ${list.line} ${list.why}`)
  return list.signers
}

describe('allowed signers', () => {
  it('are read with their options, comments and blank lines apart', () => {
    const text = `# the team\n\nalice@example.com ${key} alice's laptop\r\n"bob@example.com,carol@example.com" namespaces="git,gaffer-sign-off",valid-before="20300101" ${key}\n* cert-authority ${key}\n`
    const [alice, others, ca] = signers(text)
    expect(alice).toMatchObject({ line: 3, principals: 'alice@example.com', keyType: 'ssh-ed25519', key: blob })
    expect(others?.principals).toBe('bob@example.com,carol@example.com')
    expect([...(others?.options ?? [])]).toEqual([
      ['namespaces', 'git,gaffer-sign-off'],
      ['valid-before', '20300101'],
    ])
    expect(ca?.options.get('cert-authority')).toBe(true)
  })

  it.each([
    ['alice@example.com', 'neither options nor a key'],
    ['alice@example.com ssh-ed25519', 'cannot be read'],
    ['alice@example.com ssh-ed25519 AAAA', 'cannot be read'],
    [`alice@example.com ssh-rsa ${blob}`, 'cannot be read'],
    [`alice@example.com bogus="x" ${key}`, 'unknown option'],
    [`alice@example.com valid-before ${key}`, 'broken option'],
    ['alice@example.com cert-authority', 'no key'],
  ])('with the line %s are malformed, and the line is named', (line, why) => {
    expect(listSigners(`# first\n${line}\n`)).toMatchObject({
      kind: 'malformed',
      line: 2,
      why: expect.stringContaining(why),
    })
  })

  it('name a person by OpenSSH patterns, where a negated one wins', () => {
    const list = signers(`alice@example.com,*@team.example.com,!mallory@team.example.com ${key}`)
    expect(namesSigner(list, 'alice@example.com')).toBe(true)
    expect(namesSigner(list, 'bob@team.example.com')).toBe(true)
    expect(namesSigner(list, 'mallory@team.example.com')).toBe(false)
    expect(namesSigner(list, 'bob@example.com')).toBe(false)
    expect(namesSigner(signers(`a?c*@example.com ${key}`), 'abcde@example.com')).toBe(true)
  })

  it('are timeless without dates and certificates', () => {
    expect(isTimeless(signers(`a@example.com namespaces="x" ${key}`))).toBe(true)
    expect(isTimeless(signers(`a@example.com ${key}\nb@example.com valid-after="20200101" ${key}`))).toBe(false)
    expect(isTimeless(signers(`a@example.com cert-authority ${key}`))).toBe(false)
  })

  it('of any text are read or malformed, never thrown at', () => {
    const word = fc.constantFrom(
      'a@b',
      '"',
      ' ',
      ',',
      'valid-after="',
      'namespaces=',
      key,
      'ssh-ed25519',
      '\n',
      '#',
      '*',
      '!',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join('')),
        ),
        fc.string(),
        (text, name) => {
          const list = listSigners(text)
          const said = list.kind === 'signers' ? namesSigner(list.signers, name) : list.line > 0
          expect(typeof said).toBe('boolean')
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
