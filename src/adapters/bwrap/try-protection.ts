import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Fault } from '../../domain/fault.ts'
import type { Confinement, Protection, Sandbox } from '../../ports/sandbox.ts'

/**
 * Finds out what a sandbox keeps apart by breaking out of it as a hostile agent would: writes beside the workspace,
 * reads the home folder, connects to this machine, looks for other processes. Never throws.
 */
export async function tryProtection({
  run,
  install,
}: Pick<Sandbox, 'run'> & { readonly install: string }): Promise<Protection> {
  if (process.platform !== 'linux')
    return {
      kind: 'unconfined',
      why: 'bubblewrap exists for Linux only',
      todo: 'run Gaffer on Linux or in a Linux container',
    }
  const folder = await mkdtemp(join(tmpdir(), 'gaffer-sandbox-'))
  const door = createServer((socket) => void socket.on('error', () => undefined).end())
  try {
    const port = await listen(door)
    const [workspace, home, beside] = [join(folder, 'workspace'), join(folder, 'home'), join(folder, 'beside')]
    await Promise.all([workspace, home, beside].map((path) => mkdir(path)))
    await writeFile(join(beside, 'secret'), 'secret')
    const confinement: Confinement = {
      cwd: workspace,
      home,
      writable: [workspace, home],
      readable: [dirname(process.execPath)],
      network: 'none',
    }
    const attempts = { workspace, beside, realHome: homedir(), port }
    const ran = await run([process.execPath, '-e', breakOut, JSON.stringify(attempts)], {
      confinement,
      env: {},
      timeoutMs: 20_000,
      outputBytes: 10_000,
    })
    const worked = (await readFile(join(workspace, 'kept'), 'utf8').catch(() => '')) === 'kept'
    const escaped = (await readFile(join(beside, 'secret'), 'utf8')) !== 'secret'
    return judge({ exitCode: ran.exitCode, holes: ran.stdout.trim(), stderr: ran.stderr, worked, escaped })
  } catch (error) {
    return away(error instanceof Error ? error.message : String(error), error instanceof Fault ? error.hint : install)
  } finally {
    door.close()
    await rm(folder, { recursive: true, force: true })
  }

  function away(why: string, todo: string): Protection {
    const namespaces = /namespace|uid map|Operation not permitted|Permission denied|mount proc/i.test(why)
    return { kind: 'unconfined', why, todo: namespaces ? allowNamespaces : todo }
  }

  function judge(tried: {
    readonly exitCode: number | null
    readonly holes: string
    readonly stderr: string
    readonly worked: boolean
    readonly escaped: boolean
  }): Protection {
    const { exitCode, holes, stderr, worked, escaped } = tried
    if (exitCode !== 0 || !worked) return away(`a trial in bubblewrap failed: ${stderr.slice(0, 400)}`, install)
    if (holes !== '' || escaped)
      return {
        kind: 'unconfined',
        why: `from inside bubblewrap one can ${holes}`,
        todo: 'update bubblewrap and the kernel',
      }
    return {
      kind: 'confined',
      what: [
        'An agent writes only its workspace and its own home folder.',
        'It cannot read your home folder, other workspaces or the data of Gaffer.',
        'It has no network.',
        'It sees no process but its own, and all of them end with it.',
      ],
    }
  }
}

const allowNamespaces =
  'allow user namespaces: in a container start it with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined` ' +
  '(and `--security-opt systempaths=unconfined`), on Ubuntu `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, ' +
  'elsewhere `sysctl user.max_user_namespaces=15000`'

/** Runs inside. Prints what it could do that it must not; nothing when all is well. */
const breakOut = `
const fs = require('node:fs'), net = require('node:net')
const { workspace, beside, realHome, port } = JSON.parse(process.argv[1])
const holes = []
const attempt = (what, doIt) => { try { if (doIt() !== false) holes.push(what) } catch {} }
fs.writeFileSync(workspace + '/kept', 'kept')
attempt('write outside of the workspace', () => fs.writeFileSync(beside + '/secret', 'changed'))
attempt('read outside of the workspace', () => fs.readFileSync(beside + '/secret'))
attempt('read the home folder', () => fs.readdirSync(realHome).length > 0 && !workspace.startsWith(realHome + '/'))
attempt('write system folders', () => fs.writeFileSync('/usr/gaffer-was-here', ''))
attempt('see other processes', () => fs.readdirSync('/proc').filter((name) => Number(name) > 0).length > 4)
const socket = net.connect(port, '127.0.0.1')
const end = () => { process.stdout.write(holes.join(', ')); process.exit(0) }
socket.on('connect', () => { holes.push('reach the network'); end() })
socket.on('error', end)
setTimeout(() => { holes.push('wait on the network'); end() }, 5000)
`

const listen = (door: ReturnType<typeof createServer>): Promise<number> =>
  new Promise((resolve, reject) => {
    door.once('error', reject)
    door.listen(0, '127.0.0.1', () => {
      const address = door.address()
      if (address === null || typeof address === 'string') reject(new Error('no port to try the network with'))
      else resolve(address.port)
    })
  })
