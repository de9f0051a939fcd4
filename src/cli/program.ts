import { Command } from 'commander'
import type { Answer } from './answer.ts'
import type { Context } from './context.ts'

/** Does a command's work and prints its answer; a number is an exit code of a command that prints for itself. */
export type Act = (work: (context: Context) => Promise<Answer | number>) => Promise<void>

/**
 * Every command there is, with its words. What a command does is in commands/ and is loaded when it runs, so that
 * asking for the version or for help costs nothing.
 */
export function buildProgram(act: Act, version: string): Command {
  const program = new Command('gaffer')
    .description('One verifiable chain from intent to release: a brief becomes a signed, landed change.')
    .version(version, '-V, --version', 'print the version')
    .option('--json', 'answer in JSON: one document, or one a line from commands that go on')
    .option('--non-interactive', 'never ask; what would be asked is refused, except what the command line says already')
    .option('--data <dir>', 'data folder (default: $GAFFER_DATA, or gaffer in the XDG data folder)')
    .option('--as <email>', 'who you are (default: user.email of git)')
    .configureHelp({ showGlobalOptions: true })
    .helpCommand('help [command]', 'say how a command is used')

  set(program, act)
  deliver(program, act)
  decide(program, act)
  check(program, act)
  serve(program, act)
  return program
}

function set(program: Command, act: Act): void {
  program.commandsGroup('Set up')
  program
    .command('init')
    .description('prepare the repository you are in: .gaffer/, and a section in AGENTS.md')
    .option('--owner <email>', 'who signs here (default: who you are)')
    .option('--key <file>', "the owner's public SSH key (default: the key git signs with, or the one in ~/.ssh)")
    .option('--agent-command <line>', 'command line of an ACP agent on stdio, for example "opencode acp"')
    .option('--commit', 'commit what was written, and nothing else')
    .action((options) => act(async (context) => (await import('./commands/init.ts')).init(context, options)))
  program
    .command('doctor')
    .description('try everything that Gaffer needs on this machine, and name what is missing')
    .action(() => act(async (context) => (await import('./commands/doctor.ts')).doctor(context)))
  program
    .command('up')
    .description('serve: the database, the server and a worker, until Ctrl-C')
    .option('--port <number>', 'port on the loopback interface (default: a free one)')
    .action((options) => act(async (context) => (await import('./commands/serving.ts')).up(context, options)))
  program
    .command('worker')
    .description('one more worker on the same database, until Ctrl-C')
    .action(() => act(async (context) => (await import('./commands/serving.ts')).worker(context)))
}

function deliver(program: Command, act: Act): void {
  program.commandsGroup('Deliver')
  program
    .command('brief')
    .description('work on a brief')
    .command('check')
    .argument('<file>', 'the brief')
    .description('say what is missing and what is vague, with line numbers')
    .action((file) => act(async (context) => (await import('./commands/brief-check.ts')).briefCheck(context, file)))
  program
    .command('delegate')
    .argument('<brief>', 'file of the brief')
    .description('hand a brief over to an agent')
    .option('--agent <name>', 'which agent builds it (default: what the brief or the repository says)')
    .option('--owner <email>', "who answers for it and signs (default: the brief's owner)")
    .option('--hub <repository>', 'path or URL to deliver into (default: the repository you are in)')
    .option('--once <key>', 'makes it safe to repeat: one key (8 characters or more) opens one task')
    .option('--wait', 'show what happens until a person is needed')
    .action((file, options) =>
      act(async (context) => (await import('./commands/delegate.ts')).delegate(context, file, options)),
    )
  program
    .command('status')
    .argument('[task]', 'a task')
    .description('what waits for whom; or where one task is')
    .option('--state <state>', 'only tasks in this state')
    .option('--after <task>', 'go on after the last task of a page')
    .option('--limit <number>', 'tasks on a page, up to 200')
    .action((task, options) =>
      act(async (context) => (await import('./commands/status.ts')).status(context, task, options)),
    )
  program
    .command('watch')
    .argument('<task>', 'a task')
    .description('show what happens until a person is needed')
    .option('--until <state>', 'go on until it has come this far, is finished, or is blocked')
    .action((task, options) =>
      act(async (context) => (await import('./commands/watch.ts')).watch(context, task, options)),
    )
  program
    .command('log')
    .argument('<task>', 'a task')
    .description('everything that happened, or an agent session as it was recorded')
    .option('--session <name>', 'show this session')
    .option('--save <file>', 'save the sessions (or the one) as a file that `gaffer replay` plays')
    .action((task, options) => act(async (context) => (await import('./commands/log.ts')).log(context, task, options)))
}

function decide(program: Command, act: Act): void {
  program.commandsGroup('Decide')
  program
    .command('plan')
    .argument('<task>', 'a task')
    .description('read the plan; approve it or send it back')
    .option('--approve', 'let it be built')
    .option('--revise <text>', 'send it back, and say why')
    .action((task, options) =>
      act(async (context) => (await import('./commands/plan.ts')).plan(context, task, options)),
    )
  program
    .command('review')
    .argument('<task>', 'a task')
    .description('look at the units, riskiest first; accept them or send them back')
    .option('--accept', 'accept every unit that waits, or the one named')
    .option('--unit <unit>', 'one unit')
    .option('--request-changes <text>', 'send the unit back, and say what has to change and why')
    .action((task, options) =>
      act(async (context) => (await import('./commands/review.ts')).review(context, task, options)),
    )
  program
    .command('sign')
    .argument('<task>', 'a task')
    .description('read what lands, and sign it as its owner; it lands afterwards')
    .option('--key <file>', 'your SSH key (default: the SSH key git signs with)')
    .option('--wait', 'show how it lands; exit 0 once it has')
    .option('--yes', 'do not ask again')
    .action((task, options) =>
      act(async (context) => (await import('./commands/sign.ts')).sign(context, task, options)),
    )
  program
    .command('land')
    .argument('<task>', 'a task')
    .description('try a landing again, after you made room for it')
    .action((task) => act(async (context) => (await import('./commands/decisions.ts')).land(context, task)))
  program
    .command('answer')
    .argument('<task>', 'a task')
    .argument('[text]', 'what the agent should know')
    .description('get a blocked task going again')
    .action((task, text) =>
      act(async (context) => (await import('./commands/decisions.ts')).answer(context, task, text)),
    )
  program
    .command('abandon')
    .argument('<task>', 'a task')
    .description('give a task up; nothing of it lands')
    .requiredOption('--because <text>', 'why')
    .action((task, options) =>
      act(async (context) => (await import('./commands/decisions.ts')).abandon(context, task, options)),
    )
}

function check(program: Command, act: Act): void {
  program.commandsGroup('Check')
  program
    .command('verify')
    .argument(
      '[range]',
      'commits, as git names them (default: everything on the protected branch since .gaffer/ is there)',
    )
    .description('check that commits came through the chain, with git and public keys alone; no server')
    .option('--allowed-signers <file>', 'owners and their keys, instead of those in the repository')
    .option('--evidence-keys <file>', 'keys of evidence, instead of those in the repository')
    .action((range, options) =>
      act(async (context) => (await import('./commands/verify.ts')).verify(context, range, options)),
    )
  const hook = program.command('hook').description('keep what is outside the chain off the protected branch')
  hook
    .command('install')
    .description('put the pre-receive hook into the repository you are in')
    .action(() => act(async (context) => (await import('./commands/upkeep.ts')).installHook(context)))
  hook
    .command('pre-receive')
    .description('judge a push; git runs this')
    .action(() => act(async (context) => (await import('./commands/upkeep.ts')).preReceive(context)))
}

function serve(program: Command, act: Act): void {
  program.commandsGroup('Look after')
  program
    .command('page')
    .description('a fresh link to the status page; each opens it once')
    .action(() => act(async (context) => (await import('./commands/serving.ts')).page(context)))
  program
    .command('rebuild')
    .description('audit every event, and make the read models again from them')
    .action(() => act(async (context) => (await import('./commands/upkeep.ts')).rebuild(context)))
  program
    .command('replay')
    .argument('<file>', 'a session file')
    .description('be the agent that plays a recorded session, over ACP on stdio')
    .action((file) => act(async (context) => (await import('./commands/upkeep.ts')).replay(context, file)))
}
