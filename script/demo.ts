import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/**
 * The main job, as somebody at a terminal would do it: a copy of examples/orders becomes a repository that Gaffer looks
 * after, a brief is delegated to the replay agent, reviewed, signed, landed and verified. Every line that starts with
 * `$` is a command that was really run.
 */
const here = resolve(import.meta.dirname, '..')
const gaffer = join(here, 'bin', 'gaffer')
const owner = 'owner@example.com'

const { values } = parseArgs({
  options: {
    exit: { type: 'boolean', default: false },
    dir: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('script/demo [--exit] [--dir DIR]: delivers a brief into a copy of examples/orders')
  process.exit(0)
}

const kept = values.dir !== undefined
const room = kept ? resolve(values.dir ?? '') : mkdtempSync(join(tmpdir(), 'gaffer-demo-'))
if (kept && existsSync(room) && readdirSync(room).length > 0) {
  console.error(`script/demo: ${room} is not empty. Name a folder that does not exist yet, or remove it first.`)
  process.exit(2)
}
const orders = join(room, 'orders')
const keyFile = join(room, 'keys', 'owner')
const environment = { ...process.env, GAFFER_DATA: join(room, 'data') }
delete (environment as NodeJS.ProcessEnv)['DATABASE_URL']

let server: ChildProcess | undefined
let serverLog = ''

async function main(): Promise<number> {
  title('A repository, with an owner who can sign')
  makeRepository()
  run([gaffer, 'init', '--owner', owner, '--key', `${keyFile}.pub`, '--commit', '--non-interactive'])

  title('Gaffer, with its own Postgres')
  const address = await start()

  title('A brief, delegated to an agent that has a bad day')
  const began = performance.now()
  const task = delegate()
  run([gaffer, 'review', task, '--accept', '--as', owner])
  run([gaffer, 'sign', task, '--key', keyFile, '--as', owner, '--non-interactive', '--wait'])
  const seconds = (performance.now() - began) / 1_000

  title('Anybody can check it, with git alone')
  const verified = run([gaffer, 'verify'], { mayFail: true })
  const landed = git('log', '-1', '--format=%(trailers:key=Gaffer-Task,valueonly)').trim() === task
  git('log', '--oneline', '-3')
    .trim()
    .split('\n')
    .forEach((line) => console.log(`  ${line}`))

  console.log('')
  if (verified !== 0 || !landed) {
    console.log(landed ? 'The change landed and does NOT verify.' : 'The change did NOT land.')
    return 1
  }
  console.log(`Landed and verified, ${seconds.toFixed(1)} s from brief to main.`)
  if (kept) console.log(`Everything is in ${room}; the repository is ${orders}.`)
  if (values.exit) return 0
  console.log(`Look around: ${address}`)
  console.log(`In the repository: cd ${orders} && ${gaffer} --data ${environment.GAFFER_DATA} status`)
  console.log('Ctrl-C ends the demo.')
  await new Promise<void>((done) => {
    process.once('SIGINT', () => done())
    process.once('SIGTERM', () => done())
    server?.once('exit', () => done())
  })
  return 0
}

function makeRepository(): void {
  mkdirSync(join(room, 'keys'), { recursive: true, mode: 0o700 })
  cpSync(join(here, 'examples', 'orders'), orders, {
    recursive: true,
    filter: (path) => !path.includes('node_modules'),
  })
  must(spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', owner, '-f', keyFile]), 'ssh-keygen')
  git('init', '--quiet', '--initial-branch=main')
  git('config', 'user.name', 'The owner')
  git('config', 'user.email', owner)
  git('config', 'commit.gpgsign', 'false')
  const settings = readFileSync(join(here, 'examples', 'orders.gaffer.yaml'), 'utf8')
  mkdirSync(join(orders, '.gaffer'))
  const session = join(here, 'examples', 'sessions', 'orders-endpoint.yaml')
  writeFileSync(join(orders, '.gaffer', 'gaffer.yaml'), settings.replaceAll('$SESSION', session))
  git('add', '--all', '--', '.', ':!.gaffer')
  git('commit', '--quiet', '--message', 'feat: orders and products')
  console.log(`  ${orders}`)
}

async function start(): Promise<string> {
  echo(['gaffer', 'up'])
  server = spawn(gaffer, ['up', '--json'], { cwd: orders, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  server.stderr?.on('data', (chunk: Buffer) => (serverLog += chunk.toString()))
  const began = performance.now()
  const line = await new Promise<string>((found, failed) => {
    let text = ''
    server?.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const end = text.indexOf('\n')
      if (end !== -1) found(text.slice(0, end))
    })
    server?.once('exit', (code) => failed(new Error(`gaffer up ended with ${code}:\n${serverLog}${text}`)))
  })
  const { pageUrl } = JSON.parse(line) as { pageUrl: string }
  console.log(`  serves after ${((performance.now() - began) / 1_000).toFixed(1)} s`)
  return pageUrl
}

function delegate(): string {
  const brief = join(here, 'examples', 'briefs', 'orders-endpoint.md')
  run([gaffer, 'delegate', brief, '--as', owner, '--wait'], {
    shown: ['gaffer', 'delegate', 'orders-endpoint.md', '--wait'],
  })
  const list = spawnSync(gaffer, ['status', '--json'], { cwd: orders, env: environment, encoding: 'utf8' })
  must(list, 'gaffer status')
  const { rows } = JSON.parse(list.stdout) as { rows: readonly { id: string }[] }
  const [task] = rows
  if (task === undefined) throw new Error('no task was opened')
  return task.id
}

function run(
  argv: readonly string[],
  { shown, mayFail = false }: { shown?: readonly string[]; mayFail?: boolean } = {},
): number {
  echo(shown ?? argv.map((part) => (part === gaffer ? 'gaffer' : part.replace(`${room}/`, ''))))
  const [program = '', ...rest] = argv
  const { status } = spawnSync(program, rest, {
    cwd: orders,
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0 && !mayFail) throw new Error(`it ended with ${status}`)
  return status ?? 1
}

function git(...rest: readonly string[]): string {
  const ran = spawnSync('git', rest, { cwd: orders, encoding: 'utf8', env: environment })
  must(ran, `git ${rest[0]}`)
  return ran.stdout
}

function must(
  { status, stderr, error }: { status: number | null; stderr: string | Buffer | null; error?: Error },
  what: string,
): void {
  if (status !== 0) throw new Error(`${what} failed: ${error?.message ?? String(stderr).trim()}`)
}

const bold = (text: string): string =>
  process.stdout.isTTY && process.env['NO_COLOR'] === undefined ? `\u001b[1m${text}\u001b[0m` : text
const title = (text: string): void => console.log(`\n${bold(text)}`)
const echo = (argv: readonly string[]): void => console.log(`$ ${argv.join(' ')}`)

async function end(): Promise<void> {
  if (server !== undefined && server.exitCode === null && server.signalCode === null) {
    const gone = new Promise((done) => server?.once('exit', done))
    server.kill('SIGTERM')
    const tooLong = setTimeout(() => server?.kill('SIGKILL'), 15_000)
    await gone
    clearTimeout(tooLong)
  }
  if (!kept) rmSync(room, { recursive: true, force: true })
}

let code = 1
try {
  code = await main()
} catch (error) {
  console.error(`\nscript/demo: ${error instanceof Error ? error.message : String(error)}`)
  if (server !== undefined && (server.exitCode ?? server.signalCode) !== null)
    console.error(`\`gaffer up\` had ended: ${server.signalCode ?? `exit ${server.exitCode}`}`)
  if (serverLog !== '') console.error(serverLog.slice(-4_000))
}
await end()
process.exit(code)
