import type { Command, Option } from 'commander'

/** docs/cli.md: every command, its arguments and options, as the program itself declares them. Pure. */
export function renderReference(program: Command): string {
  const commands = leaves(program)
  return [
    '<!-- Written by `script/docs` from src/cli/program.ts. -->',
    '',
    '# The command line',
    '',
    program.description(),
    '',
    '`gaffer` finds the running server by its data folder; `brief check`, `doctor`, `hook`, `init`, `rebuild`, `replay`, `up`, `verify` and `worker` need none.',
    '',
    '## Everywhere',
    '',
    ...optionTable(program.options),
    '',
    '| ends with | when |',
    '|---|---|',
    '| 0 | it is done |',
    '| 1 | it was refused, or the answer is no: a rule forbids it, a commit does not verify, a check fails |',
    '| 2 | it was not used rightly: an unknown option, a file that is not there |',
    '| 3 | something of ours went wrong: no server, no database, a bug |',
    '',
    'What went wrong is said on standard error: what, why, and what to do. With `--json` it is one document on standard output, `{"error": {"what", "why", "todo", "type", "details", "exit"}}`.',
    '`NO_COLOR` is respected; there is no colour where there is no terminal.',
    '',
    ...commands.flatMap((command) => section(command)),
  ].join('\n')
}

const leaves = (command: Command): Command[] =>
  command.commands.flatMap((sub) => (sub.name() === 'help' ? [] : sub.commands.length > 0 ? leaves(sub) : [sub]))

function section(command: Command): string[] {
  const words = [
    command.name(),
    ...command.registeredArguments.map((argument) =>
      argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
    ),
  ]
  for (let parent = command.parent; parent !== null; parent = parent.parent) words.unshift(parent.name())
  const args = command.registeredArguments.map(
    (argument) => `| \`${argument.name()}\` | ${escaped(argument.description)} |`,
  )
  return [
    `## gaffer ${namesOf(command).join(' ')}`,
    '',
    `${upper(command.description())}.`,
    '',
    '```',
    [...words, ...(command.options.length > 0 ? ['[options]'] : [])].join(' '),
    '```',
    '',
    ...(args.length > 0 ? ['| argument | |', '|---|---|', ...args, ''] : []),
    ...(command.options.length > 0 ? [...optionTable(command.options), ''] : []),
  ]
}

const namesOf = (command: Command): string[] =>
  command.parent === null ? [] : [...namesOf(command.parent), command.name()]

const optionTable = (options: readonly Option[]): string[] => [
  '| option | |',
  '|---|---|',
  ...options.map(
    ({ flags, description, mandatory }) =>
      `| \`${flags}\` | ${escaped(description)}${mandatory ? ' (required)' : ''} |`,
  ),
]

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
