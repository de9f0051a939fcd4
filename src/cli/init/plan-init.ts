import { refuse, type Refusal } from '../../domain/fault.ts'
import { signOffNamespace } from '../../domain/evidence.ts'
import { paths } from '../../domain/settings.ts'
import { withSection } from './agents-section.ts'
import { findGates, type Gates } from './find-gates.ts'
import { settingsText, type InitAgent } from './settings-text.ts'

/** Everything that `gaffer init` looks at before it decides anything. */
export interface InitFacts {
  /** The branch that is protected: what a landing moves. */
  readonly branch: string
  readonly owner: string
  /** `ssh-ed25519 AAAA… comment`, the owner's. */
  readonly publicKey: string
  /** Public key of this Gaffer's evidence. */
  readonly evidenceKey: string
  readonly agent: InitAgent | null
  /** What stands in the files that matter: those that would be written, and package.json. */
  readonly files: ReadonlyMap<string, string>
  /** Every path of the repository. */
  readonly tracked: readonly string[]
}

export interface PlannedFile {
  readonly path: string
  readonly content: string
  readonly change: 'write' | 'extend' | 'keep'
}
export type InitPlan =
  | { readonly kind: 'planned'; readonly files: readonly PlannedFile[]; readonly notes: readonly string[] }
  | Refusal

/** What `gaffer init` writes. Pure; planned again over its own result, everything is kept. */
export function planInit(facts: InitFacts): InitPlan {
  const agents = withSection(facts.files.get('AGENTS.md'))
  if (agents === undefined)
    return refuse(
      'init',
      'the section of Gaffer in AGENTS.md has a beginning and no end',
      'put back the line `<!-- gaffer:end -->`, or remove the section',
    )

  const standing = facts.files.get(paths.settings)
  const gates = findGates(facts.files, facts.tracked)
  const settings = standing ?? settingsText({ branch: facts.branch, gates, agent: facts.agent })
  const contents: readonly (readonly [string, string])[] = [
    [paths.settings, settings],
    [paths.allowedSigners, withSigner(facts.files.get(paths.allowedSigners), facts)],
    [paths.evidenceKeys, withKey(facts.files.get(paths.evidenceKeys), facts.evidenceKey)],
    ['AGENTS.md', agents],
  ]
  return {
    kind: 'planned',
    files: contents.map(([path, content]) => ({ path, content, change: changeOf(facts.files.get(path), content) })),
    notes: standing === undefined ? notesOn(gates, facts) : [],
  }
}

const changeOf = (before: string | undefined, after: string): PlannedFile['change'] =>
  before === undefined ? 'write' : before === after ? 'keep' : 'extend'

function notesOn(gates: Gates, { agent }: InitFacts): string[] {
  return [
    ...(gates.found.length === 0
      ? [`no command that judges a change was found: nothing can be delivered until ${paths.settings} declares one`]
      : []),
    ...gates.notes,
    ...(agent === null
      ? [
          `no agent is declared: name one in ${paths.settings}, or run \`gaffer init\` with --agent-command on a fresh one`,
        ]
      : []),
  ]
}

const ended = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`)

function withSigner(before = '', { owner, publicKey }: InitFacts): string {
  const [type = '', blob = ''] = publicKey.trim().split(/\s+/)
  const known = before
    .split('\n')
    .some(
      (line) =>
        !line.trimStart().startsWith('#') && line.includes(blob) && line.split(/\s/, 1)[0]?.split(',').includes(owner),
    )
  if (known) return before
  const head =
    before === ''
      ? '# Who may sign what lands here, and with which key; see ssh-keygen(1), ALLOWED SIGNERS.\n'
      : ended(before)
  return `${head}${owner} namespaces="${signOffNamespace}" ${type} ${blob}\n`
}

/** Keys of several Gaffers stand one after the other. */
function withKey(before = '', key: string): string {
  const body = (pem: string): string => pem.replace(/\s/g, '')
  return body(before).includes(body(key)) ? before : `${ended(before)}${ended(key)}`
}
