import type { Gates } from './find-gates.ts'

export interface InitAgent {
  readonly name: string
  readonly command: readonly string[]
}

/** `.gaffer/gaffer.yaml` for a repository that has none. Pure. */
export function settingsText({
  branch,
  gates,
  agent,
}: {
  branch: string
  gates: Gates
  agent: InitAgent | null
}): string {
  return [
    '# How Gaffer looks after this repository. Read from the protected branch only, and reviewed like code: no agent',
    '# can change it. Written once by `gaffer init`; from here on it is yours.',
    'version: 1',
    '# The branch that changes land on.',
    `branch: ${quoted(branch)}`,
    '',
    '# Installed from the lockfile into the clean checkout in which gates run, with scripts off.',
    'dependencies:',
    `  installer: ${gates.installer}`,
    '',
    '# What judges every change. contracts, scope and secrets always do, and need no entry.',
    ...gatesText(gates),
    '',
    '# Tests and files that people own: agents read them and never change them.',
    ...list('contracts', gates.contracts, "'test/contract/**'"),
    '',
    '# Who builds: any agent that speaks ACP on stdio.',
    ...agentText(agent),
    '',
    'review:',
    '  plan: optional # required: a person approves each plan before it is built',
    '  units: required # a person accepts each unit before the owner signs',
    '',
  ].join('\n')
}

function gatesText({ found }: Gates): string[] {
  if (found.length === 0)
    return [
      '# No command was found that could. Nothing can be delivered until there is one here, for example:',
      'gates: {}',
      '#  tests:',
      '#    run: make test JUNIT="$GAFFER_REPORTS/junit.xml"   # writes JUnit XML, so that tests are counted',
      '#  lint:',
      '#    run: make lint',
      '#  build:',
      '#    gate: command                                       # judged by its exit code',
      '#    run: make build',
    ]
  return [
    '# Commands are spelled out here: an agent can change the scripts of package.json, and nothing that stands in this file.',
    ...(found.some(({ run }) => callsScript(run))
      ? [
          '# Where one still calls a script by npm, the gate `scope` refuses changes that give that script another body.',
        ]
      : []),
    '# Programs of the installed packages (node_modules/.bin) are on the PATH.',
    'gates:',
    ...found.flatMap(({ name, gate, run }) => [
      `  ${name}:`,
      ...(gate === name ? [] : [`    gate: ${gate}`]),
      `    run: ${quoted(run)}`,
    ]),
  ]
}

const callsScript = (run: string): boolean => /\bnpm (?:test|run)\b/.test(run)

const agentText = (agent: InitAgent | null): string[] =>
  agent === null
    ? ['# agents:', '#   opencode:', '#     command: [opencode, acp]', '# agent: opencode']
    : ['agents:', `  ${agent.name}:`, `    command: [${agent.command.map(quoted).join(', ')}]`, `agent: ${agent.name}`]

const list = (name: string, items: readonly string[], example: string): string[] =>
  items.length === 0 ? [`${name}: []`, `#  - ${example}`] : [`${name}:`, ...items.map((item) => `  - ${quoted(item)}`)]

/** A plain YAML scalar where it is surely one, else a single-quoted one. */
const quoted = (text: string): string =>
  /^[A-Za-z][\w./-]*(?: [\w./=-]+)*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : `'${text.replaceAll("'", "''")}'`
