import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, constants, mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bwrapSandbox } from '../adapters/bwrap/bwrap-sandbox.ts'
import { createRepositories } from '../adapters/git/repositories.ts'
import type { CheckResult, DoctorCheck } from '../cli/wiring.ts'
import { email } from '../domain/ids.ts'
import { readSettings } from '../domain/read-settings.ts'
import { paths, type Settings } from '../domain/settings.ts'
import { openDatabase, pingDatabase } from '../engine/postgres/database.ts'
import { readEvidenceKeys } from '../own/dsse.ts'
import { loadInstanceKey } from '../own/instance-key.ts'
import { signWithKey } from '../own/sign-off.ts'
import { openSignatureVerifier } from '../own/signature-verifier.ts'
import { findProgram } from '../process/find-program.ts'
import { databaseOf, ensureDataFolder } from './data-folder.ts'

const ok = (says: string): CheckResult => ({ state: 'ok', says, todo: null })
const warn = (says: string, todo: string): CheckResult => ({ state: 'warn', says, todo })
const fail = (says: string, todo: string): CheckResult => ({ state: 'fail', says, todo })

/** What Gaffer needs of this machine, each tried and not looked up. */
export const doctorChecks = ({
  data,
  folder,
}: {
  readonly data: string
  readonly folder: string
}): readonly DoctorCheck[] => [
  { name: 'node', run: () => Promise.resolve(ok(`Node ${process.versions.node}`)) },
  {
    name: 'git',
    run: () => Promise.resolve(recentGit(program('git', ['--version'], `install git ${oldestGit.join('.')} or later`))),
  },
  {
    name: 'npm',
    run: () =>
      Promise.resolve(
        optional(program('npm', ['--version'], 'install npm: gates of repositories with a package-lock.json need it')),
      ),
  },
  { name: 'data folder', run: () => checkFolder(data) },
  { name: 'database', run: () => checkDatabase(data) },
  { name: 'signing', run: checkSigning },
  { name: 'sandbox', run: checkSandbox },
  { name: 'repository', run: () => checkRepository(folder) },
  { name: 'agents', run: () => checkAgents(folder) },
  { name: 'evidence key', run: () => checkEvidenceKey(data, folder) },
]

function program(name: string, argv: readonly string[], todo: string): CheckResult {
  const { status, stdout, error } = spawnSync(name, argv, { encoding: 'utf8', timeout: 20_000 })
  if (status !== 0) return fail(`${name} ${error === undefined ? `ended with ${status}` : 'is not there'}`, todo)
  return ok(`${name} ${stdout.trim().replace(/^git version /, '')}`)
}

/** The first with `git merge-tree --write-tree`. */
const oldestGit = [2, 38] as const

/** What `git --version` said, unless it is too old to merge without a work tree, or says no version at all. */
export function recentGit(found: CheckResult): CheckResult {
  if (found.state !== 'ok') return found
  const [, major, minor] = /^git (\d+)\.(\d+)/.exec(found.says) ?? []
  const todo = `install git ${oldestGit.join('.')} or later`
  if (major === undefined || minor === undefined) return fail(`${found.says} is no version that is known`, todo)
  const isRecent = Number(major) > oldestGit[0] || (Number(major) === oldestGit[0] && Number(minor) >= oldestGit[1])
  return isRecent ? found : fail(`${found.says} is too old`, todo)
}

const optional = (result: CheckResult): CheckResult => (result.state === 'fail' ? { ...result, state: 'warn' } : result)

const leastBytes = 2 * 1024 ** 3

async function checkFolder(data: string): Promise<CheckResult> {
  await ensureDataFolder(data)
  await access(data, constants.R_OK | constants.W_OK | constants.X_OK)
  const { bavail, bsize } = await statfs(data)
  const free = `${((bavail * bsize) / 1024 ** 3).toFixed(1)} GiB free`
  return bavail * bsize < leastBytes
    ? warn(`${data}, only ${free}`, 'make room: workspaces, dependencies and the database live there')
    : ok(`${data}, ${free}`)
}

async function checkDatabase(data: string): Promise<CheckResult> {
  const choice = databaseOf(data)
  const began = performance.now()
  await ensureDataFolder(data)
  const database = await openDatabase(choice)
  try {
    const { version } = await pingDatabase(database)
    const where = choice.kind === 'url' ? 'at DATABASE_URL' : 'embedded'
    return ok(`Postgres ${version}, ${where}, answered after ${Math.round(performance.now() - began)} ms`)
  } finally {
    await database.close()
  }
}

async function checkSigning(): Promise<CheckResult> {
  const room = await mkdtemp(join(tmpdir(), 'gaffer-doctor-'))
  try {
    const keyFile = join(room, 'key')
    const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'doctor', '-f', keyFile], {
      encoding: 'utf8',
    })
    if (made.status !== 0)
      return fail('ssh-keygen is not there, or makes no key', 'install OpenSSH 8.2 or later (Debian: openssh-client)')
    const publicKey = spawnSync('ssh-keygen', ['-y', '-f', keyFile], { encoding: 'utf8' }).stdout.trim()
    const owner = email('doctor@example.com')
    const statement = randomBytes(16).toString('hex')
    const armoured = await signWithKey({ keyFile, statement, interactive: false, env: process.env })
    await using verifier = openSignatureVerifier()
    const check = { armoured, owner, allowedSigners: `${owner} ${publicKey}\n`, at: new Date().toISOString() }
    const good = await verifier.verify({ ...check, statement })
    const forged = await verifier.verify({ ...check, statement: `${statement}!` })
    if (good.kind === 'valid' && forged.kind === 'invalid')
      return ok('signed, verified, and refused a forged statement')
    return fail('ssh-keygen does not tell a good signature from a forged one', 'install OpenSSH 8.2 or later')
  } finally {
    await rm(room, { recursive: true, force: true })
  }
}

async function checkSandbox(): Promise<CheckResult> {
  const protection = await bwrapSandbox().protects()
  if (protection.kind === 'confined') return ok(`bubblewrap: ${protection.what.join('; ')}`)
  return warn(`agents and gates run UNCONFINED: ${protection.why}`, protection.todo)
}

type Found =
  | { readonly kind: 'looked-after'; readonly settings: Settings; readonly evidenceKeys: string | undefined }
  | { readonly kind: 'not'; readonly result: CheckResult }

/** What the repository around a folder says of itself in its last commit. */
async function lookAt(folder: string): Promise<Found> {
  const not = (says: string, todo: string): Found => ({ kind: 'not', result: warn(says, todo) })
  const repositories = createRepositories({ folder: tmpdir() })
  const history = await repositories.inspect(folder).catch(() => undefined)
  const head = await history?.resolve('HEAD')
  if (history === undefined)
    return not(`${folder} is in no git repository`, 'run it again inside the repository that Gaffer is to look after')
  if (head === undefined) return not('the repository has no commit yet', 'make a first commit, then run `gaffer init`')
  const text = await history.read(head, paths.settings)
  if (text === undefined)
    return not(`${paths.settings} is not committed here`, 'run `gaffer init`, and commit what it writes')
  const evidenceKeys = await history.read(head, paths.evidenceKeys)
  return { kind: 'looked-after', settings: readSettings(text), evidenceKeys }
}

const unchecked = (found: CheckResult): CheckResult => warn(`not checked: ${found.says}`, found.todo ?? '')

async function checkRepository(folder: string): Promise<CheckResult> {
  const found = await lookAt(folder)
  if (found.kind === 'not') return found.result
  const { branch, gates } = found.settings
  return ok(`looked after by Gaffer: protected branch ${branch}, gates ${Object.keys(gates).join(', ')}`)
}

/** Whether the programs of the agents are there; what they speak is found out when they are started. */
async function checkAgents(folder: string): Promise<CheckResult> {
  const found = await lookAt(folder)
  if (found.kind === 'not') return unchecked(found.result)
  const declared = Object.entries(found.settings.agents)
  if (declared.length === 0) return warn('no agent is declared', `declare one under agents in ${paths.settings}`)
  const programs = await Promise.all(
    declared.map(async ([agent, { command }]) => {
      const [called = ''] = command
      const place = called === 'gaffer' ? called : await findProgram(called, process.env['PATH'] ?? '', folder)
      return { agent, called, isThere: place !== undefined }
    }),
  )
  const missing = programs.filter(({ isThere }) => !isThere)
  if (missing.length === 0) return ok(programs.map(({ agent, called }) => `${agent} (${called})`).join(', '))
  return fail(
    missing.map(({ agent, called }) => `${called}, the program of the agent ${agent}, is not there`).join('; '),
    `install ${missing.map(({ called }) => called).join(', ')}, or mend agents in ${paths.settings}`,
  )
}

/** Evidence that this Gaffer signs is believed only where the protected branch holds its public key. */
async function checkEvidenceKey(data: string, folder: string): Promise<CheckResult> {
  const found = await lookAt(folder)
  if (found.kind === 'not') return unchecked(found.result)
  const { keyId } = await loadInstanceKey(data)
  const todo = `run \`gaffer init\` with this data folder, and commit ${paths.evidenceKeys} on ${found.settings.branch}`
  const read = readEvidenceKeys(found.evidenceKeys ?? '')
  if (read.kind === 'malformed') return fail(`${paths.evidenceKeys} ${read.why}`, todo)
  if (read.keys.has(keyId)) return ok(`${paths.evidenceKeys} holds the key of this data folder`)
  return fail(`${paths.evidenceKeys} does not hold the key of ${data}: no evidence of it would be believed`, todo)
}
