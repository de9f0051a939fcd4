/** What a changed file is, for somebody who looks for secrets in it. */
export type Content =
  /** Looked at by every rule. */
  | { readonly kind: 'text'; readonly text: string }
  /** No text, or too long for some rules: our own patterns look at it, byte for byte. */
  | { readonly kind: 'binary' | 'huge'; readonly text: string }
  | { readonly kind: 'too-large' }

export const limits = { lintBytes: 1_000_000, scanBytes: 64_000_000 }

export function contentOf(bytes: Uint8Array): Content {
  if (bytes.length > limits.scanBytes) return { kind: 'too-large' }
  const wide = wideText(bytes)
  if (wide !== undefined) return { kind: wide.length > limits.lintBytes ? 'huge' : 'text', text: wide }
  if (bytes.subarray(0, 8_000).includes(0)) return { kind: 'binary', text: latin.decode(bytes) }
  return { kind: bytes.length > limits.lintBytes ? 'huge' : 'text', text: new TextDecoder().decode(bytes) }
}

const latin = new TextDecoder('latin1')

/** UTF-16 with a byte order mark is text, though it is full of zeros. */
function wideText(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  return undefined
}
