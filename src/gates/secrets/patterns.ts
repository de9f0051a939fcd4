/** Something that looks like a secret; the secret itself only to recognise it again, never to be shown. */
export interface Match {
  readonly rule: string
  readonly what: string
  readonly start: number
  readonly secret: string
}

interface Pattern {
  readonly rule: string
  readonly what: string
  readonly form: RegExp
  /** Further doubts about the captured value. */
  readonly isSecret?: (value: string) => boolean
}

const patterns: readonly Pattern[] = [
  {
    rule: 'aws-key-id',
    what: 'an AWS access key id',
    form: /(?<![A-Za-z0-9])((?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|ABIA|ACCA)[A-Z2-7]{16})(?![A-Za-z0-9])/g,
    isSecret: (value) => !value.endsWith('EXAMPLE'),
  },
  {
    rule: 'private-key',
    what: 'a private key',
    form: /(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\r|\\n|[\s"'+,])*[A-Za-z0-9+/=:;, -]{16,})/g,
  },
  {
    rule: 'github-token',
    what: 'a GitHub token',
    form: /\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})/g,
    isSecret: isRandom,
  },
  { rule: 'slack-token', what: 'a Slack token', form: /\b(xox[abeoprs]-[A-Za-z0-9-]{20,})/g, isSecret: isRandom },
  { rule: 'google-key', what: 'a Google API key', form: /\b(AIza[0-9A-Za-z_-]{35})/g, isSecret: isRandom },
  {
    rule: 'api-key',
    what: 'an API key',
    form: /\b((?:sk|rk|pk)[-_](?:live|test|proj|ant|svcacct)[-_][A-Za-z0-9_-]{16,})/g,
    isSecret: isRandom,
  },
  {
    rule: 'json-web-token',
    what: 'a JSON Web Token',
    form: /\b(eyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,})/g,
  },
  {
    rule: 'generic-secret',
    what: 'a password or token in an assignment',
    form: /(?:password|passwd|passphrase|pwd|secret|token|api_?-?key|access_?-?key|private_?-?key|credential)[a-z0-9_-]{0,24}["']?\s{0,8}(?::|=>|:?=)\s{0,8}(?:["'`])([^\s"'`]{8,200})["'`]/gi,
    isSecret: isPassword,
  },
]

/** `KEY=value` with no quotes, in files that hold settings. */
const unquoted: Pattern = {
  rule: 'generic-secret',
  what: 'a password or token in an assignment',
  form: /^[ \t]*(?:export[ \t]+)?[A-Za-z0-9_.-]{0,64}(?:password|passwd|passphrase|pwd|secret|token|api_?-?key|access_?-?key|private_?-?key|credentials?)[A-Za-z0-9_-]{0,24}[ \t]{0,8}[:=][ \t]{0,8}([^\s"'`#,;{}[\]()]{8,200})[ \t]*(?:#.*)?$/gim,
  isSecret: isPassword,
}
const settingsFile =
  /(?:^|\/)(?:\.env(?:\.[^/]*)?|[^/]*\.(?:env|ini|cfg|conf|properties|ya?ml|toml|tfvars)|\.npmrc|\.netrc|\.pypirc)$/i

/** Everything in a text that looks like a secret, by our own patterns; in order of place. */
export function findSecrets(path: string, text: string): readonly Match[] {
  const used = settingsFile.test(path) ? [...patterns, unquoted] : patterns
  return used
    .flatMap(({ rule, what, form, isSecret = () => true }) =>
      Array.from(text.matchAll(form), (match): Match => {
        const secret = match[1] ?? ''
        return { rule, what, secret, start: match.index + match[0].lastIndexOf(secret) }
      }).filter(({ secret }) => isSecret(secret)),
    )
    .toSorted((a, b) => a.start - b.start)
}

const placeholders =
  /example|sample|dummy|fake|mock|placeholder|change_?-?me|replace|redacted|your[_-]?|insert|todo|lorem|foobar|test|invalid|expired|<|>|\$\{|\{\{|%[a-z(]|\.{3}|x{4}|\*{3}|1234567|abcdef|process\.|env\.|os\.|secrets?\./i

/** Long, mixed and irregular, as what a machine made is. */
function isRandom(value: string): boolean {
  return !placeholders.test(value) && /\d/.test(value) && /[A-Za-z]/.test(value) && bitsPerCharacter(value) >= 3
}

/**
 * Whether a value that a name calls secret is one: not a placeholder, a reference, a plain word, a path or a sentence
 * of words in kebab case.
 */
function isPassword(value: string): boolean {
  if (placeholders.test(value) || /^[./~@#&$(]/.test(value) || /^[a-z]+:\/\//i.test(value)) return false
  if (/^[A-Za-z]+(?:[-_.:/ ][A-Za-z]+)*$/.test(value)) return false // words
  if (/^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+$|\(|=>/.test(value)) return false // code
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length
  return kinds >= 2 && new Set(value).size >= 5 && bitsPerCharacter(value) >= 2.5
}

/** Shannon entropy of the characters. */
function bitsPerCharacter(value: string): number {
  const counts = new Map<string, number>()
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => sum - (count / value.length) * Math.log2(count / value.length), 0)
}
