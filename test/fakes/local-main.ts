import { runCli } from '../../src/cli/run.ts'
import { processTerminal } from '../../src/cli/terminal.ts'
import type { Protection, Wiring } from '../../src/cli/wiring.ts'
import { Fault } from '../../src/domain/fault.ts'
import { commitSha } from '../../src/domain/ids.ts'
import { refuse } from '../../src/domain/fault.ts'

/**
 * The command line as a process, over answers that a test chooses (`ANSWERS`, a JSON object): for what commands without
 * a server make of them. `throw` throws a Fault of that code.
 */
interface Answers {
  /** Why nothing confines agents. */
  readonly unconfined?: string
  readonly throw?: Fault['code']
  readonly checks?: readonly {
    readonly name: string
    readonly state: 'ok' | 'warn' | 'fail'
    readonly todo?: string
    readonly throws?: boolean
  }[]
  readonly commits?: readonly {
    readonly sha: string
    readonly status: 'attested' | 'bypass' | 'tampered'
    readonly why?: string
  }[]
  readonly tampered?: readonly string[]
  readonly lines?: readonly string[]
  readonly hook?: 'installed' | 'taken'
}
const answers = JSON.parse(process.env['ANSWERS'] ?? '{}') as Answers
const fault = (): void => {
  if (answers.throw !== undefined)
    throw new Fault(answers.throw, `it is ${answers.throw}`, { hint: 'do something about it' })
}

const running = () => {
  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  const alive = setInterval(() => {}, 1_000)
  return {
    stopped,
    async stop() {
      clearInterval(alive)
      resolve()
    },
  }
}

const wiring: Wiring = {
  async up() {
    fault()
    const protection: Protection =
      answers.unconfined === undefined
        ? { kind: 'confined', what: [] }
        : { kind: 'unconfined', why: answers.unconfined, todo: 'install bubblewrap' }
    return { ...running(), url: 'http://127.0.0.1:7447', pageUrl: 'http://127.0.0.1:7447/?key=once', protection }
  },
  async worker() {
    fault()
    return running()
  },
  async doctor() {
    return (answers.checks ?? []).map(({ name, state, todo, throws }) => ({
      name,
      run: async () => {
        if (throws === true)
          throw new Fault('database-unavailable', 'Postgres does not start', { hint: 'look at its log' })
        return { state, says: `${name} says`, todo: todo ?? null }
      },
    }))
  },
  async checkBrief({ text }) {
    fault()
    return text.includes('owner:')
      ? []
      : [{ level: 'error', line: 1, rule: 'owner-missing', message: 'names no owner' }]
  },
  async verify({ trust, range }) {
    fault()
    const commits = (answers.commits ?? []).map((commit) => ({ ...commit, sha: commitSha(commit.sha) }))
    return { ok: commits.every(({ status }) => status === 'attested'), commits, trust, range }
  },
  async rebuild() {
    const tampered = (answers.tampered ?? []).map((stream) => ({ stream, version: 3, why: 'its hash does not match' }))
    return { tasks: 2, events: 40, tampered }
  },
  async preReceive({ updates }) {
    const lines = answers.lines ?? []
    return { ok: lines.length === 0, lines: lines.map((line) => `${line} ${updates.trim()}`) }
  },
  async installHook({ folder }) {
    return answers.hook === 'taken'
      ? refuse('the hook was not installed', 'another stands there', 'add a line to it')
      : { kind: 'installed', path: `${folder}/hooks/pre-receive` }
  },
  evidenceKey: () => Promise.reject(new Error('not asked for here')),
  sign: () => Promise.reject(new Error('not asked for here')),
  replayFile: async (sessions) => JSON.stringify(sessions),
  replay: async () => 7,
}

process.exitCode = await runCli({
  argv: process.argv.slice(2),
  version: '1.2.3',
  terminal: processTerminal(),
  wiring: async () => wiring,
  cwd: process.cwd(),
  env: process.env,
})
