/** Tokens that are nothing else, wherever they stand. */
const tokens: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bxox[abprs]-[A-Za-z0-9-]{10,}/g,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /\bAIza[0-9A-Za-z_-]{30,}/g,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}/g,
]
/** What stands where a secret would: right in messages, and far too eager for source code. */
const places: readonly RegExp[] = [
  /(?<=\b(?:authorization|proxy-authorization)["']?\s*[:=]\s*["']?(?:bearer|basic)\s+)[^\s"',;]{6,}/gi,
  /(?<=:\/\/[^\s:/@]{0,64}:)[^\s/@]{1,256}(?=@)/g,
  /(?<=\b[A-Za-z0-9_]{0,40}(?:password|passwd|secret|token|api_?key)["']?\s*[:=]\s*["']?)[^\s"',;&]{6,}/gi,
]

/** Hides what looks like a secret. Applied where errors, events and logs are made, never where they are read. */
export function redact(text: string): string {
  let safe = text
  for (const shape of [...tokens, ...places]) safe = safe.replace(shape, '[redacted]')
  return safe
}

/** Whether a text has an unmistakable token in it. For source code, of which a redacted copy would be a wrong one. */
export const holdsToken = (text: string): boolean => tokens.some((shape) => text.search(shape) >= 0)

/** Shorter values are words that stand everywhere. */
const leastLength = 8

/** The texts to look for when these values must not be told: as they are, and as they stand within JSON. */
export const secretTexts = (values: readonly string[]): readonly string[] => {
  const long = values.filter((value) => value.length >= leastLength)
  const texts = new Set([...long, ...long.map((value) => JSON.stringify(value).slice(1, -1))])
  return [...texts].toSorted((a, b) => b.length - a.length) // one may be the beginning of another
}

/** Hides exactly these texts. */
export const redactTexts = (text: string, secrets: readonly string[]): string =>
  secrets.reduce((safe, secret) => safe.replaceAll(secret, '[redacted]'), text)
