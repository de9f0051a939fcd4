/** `.gaffer/allowed_signers`, in the format of ssh-keygen(1): who may sign, with which key, and until when. */
export interface Signer {
  /** Line of the file, from 1. */
  readonly line: number
  /** A pattern list, as it stands: `alice@example.com`, `*@example.com,!bob@example.com`. */
  readonly principals: string
  /** In lower case; `true` for one without a value. */
  readonly options: ReadonlyMap<string, string | true>
  readonly keyType: string
  /** The key's blob in base64. */
  readonly key: string
}

export type AllowedSigners =
  | { readonly kind: 'signers'; readonly signers: readonly Signer[] }
  | { readonly kind: 'malformed'; readonly line: number; readonly why: string }

const knownOptions = new Set(['cert-authority', 'namespaces', 'valid-after', 'valid-before'])
const keyTypes =
  /^(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)$/

/**
 * Reads the whole file or says which line cannot be read. ssh-keygen itself passes over such lines in silence, which
 * leaves a team wondering why a signature is not accepted: `sign`, `doctor` and `init` ask here first.
 */
export function listSigners(text: string): AllowedSigners {
  const signers: Signer[] = []
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const signer = readSigner(line, index + 1)
    if (typeof signer === 'string') return { kind: 'malformed', line: index + 1, why: signer }
    signers.push(signer)
  }
  return { kind: 'signers', signers }
}

/** Whether some line names this person. Whether their signature is good is for ssh-keygen to say. */
export const namesSigner = (signers: readonly Signer[], email: string): boolean =>
  signers.some(({ principals }) => matchesList(email, principals))

/** Whether acceptance depends on nothing but person and key: no dates, no certificates. */
export const isTimeless = (signers: readonly Signer[]): boolean =>
  signers.every(({ options }) => [...options.keys()].every((name) => name === 'namespaces'))

function readSigner(line: string, number: number): Signer | string {
  const [principals, afterPrincipals] = takeWord(line)
  if (principals === '') return 'names nobody'
  const [first, rest] = takeWord(afterPrincipals)
  if (keyTypes.test(first)) return withKey({ line: number, principals, options: new Map() }, first, rest)
  const options = readOptions(first)
  if (typeof options === 'string') return options
  const [keyType, afterType] = takeWord(rest)
  if (!keyTypes.test(keyType)) return `has no key that ssh-keygen knows (${keyType.slice(0, 40) || 'nothing'})`
  return withKey({ line: number, principals, options }, keyType, afterType)
}

function withKey(signer: Omit<Signer, 'keyType' | 'key'>, keyType: string, rest: string): Signer | string {
  const [key] = takeWord(rest)
  const blob = Buffer.from(key, 'base64')
  const typeInBlob = blob.length > 4 ? blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1') : ''
  if (typeInBlob !== keyType) return `has a ${keyType} key that cannot be read`
  return { ...signer, keyType, key }
}

function readOptions(text: string): Map<string, string | true> | string {
  const options = new Map<string, string | true>()
  for (const [option] of text.matchAll(/(?:[^",]|"[^"]*"?)+/g)) {
    const [, name, value] = /^([A-Za-z-]+)(?:="([^"]*)")?$/.exec(option) ?? []
    if (name === undefined || !knownOptions.has(name.toLowerCase()))
      return `has an unknown option (${option.slice(0, 40)})`
    if ((value === undefined) !== (name.toLowerCase() === 'cert-authority'))
      return `has a broken option (${option.slice(0, 40)})`
    options.set(name.toLowerCase(), value ?? true)
  }
  return options.size === 0 ? 'has neither options nor a key after its principals' : options
}

/** The next word (white space inside double quotes belongs to it), with surrounding quotes removed, and what follows. */
function takeWord(text: string): [string, string] {
  const [word = ''] = /^(?:[^\s"]|"[^"]*"?)*/.exec(text) ?? []
  const bare = /^"([^"]*)"$/.exec(word)?.[1] ?? word
  return [bare, text.slice(word.length).trimStart()]
}

/** OpenSSH's pattern lists: a match of a negated pattern wins over everything. */
function matchesList(text: string, list: string): boolean {
  let matched = false
  for (const pattern of list.split(',')) {
    const negated = pattern.startsWith('!')
    if (!matchesPattern(text, negated ? pattern.slice(1) : pattern)) continue
    if (negated) return false
    matched = true
  }
  return matched
}

/** `*` and `?`, with one place to go back to, so that no pattern takes more than quadratic time. */
function matchesPattern(text: string, pattern: string): boolean {
  let [at, in_, star, resume] = [0, 0, -1, 0]
  while (at < text.length) {
    if (pattern[in_] === '*') [star, resume, in_] = [in_, at, in_ + 1]
    else if (in_ < pattern.length && (pattern[in_] === '?' || pattern[in_] === text[at])) [at, in_] = [at + 1, in_ + 1]
    else if (star >= 0) [resume, at, in_] = [resume + 1, resume + 1, star + 1]
    else return false
  }
  while (pattern[in_] === '*') in_ += 1
  return in_ === pattern.length
}
