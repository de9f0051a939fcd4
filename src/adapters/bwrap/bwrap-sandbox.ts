import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { Fault } from '../../domain/fault.ts'
import type { Confinement, Protection, Ran, RunOptions, Sandbox } from '../../ports/sandbox.ts'
import { findProgram } from '../../process/find-program.ts'
import { run as runProcess } from '../../process/run.ts'
import { confinementMounts, isVisible, systemMounts } from './mounts.ts'
import { tryProtection } from './try-protection.ts'

const install = 'install bubblewrap (Debian, Ubuntu: `apt install bubblewrap`; Fedora: `dnf install bubblewrap`)'

/**
 * Bubblewrap: user, pid, network and mount namespaces of its own for every process. Only the confinement's paths are
 * there beside the system's programs, under the names they have outside; the process is uid 1000 with no
 * capabilities. Linux only; the same as root and as an ordinary user.
 */
export function bwrapSandbox({ program = 'bwrap' }: { readonly program?: string } = {}): Sandbox {
  let system: Promise<readonly string[]> | undefined
  let protection: Promise<Protection> | undefined

  async function wrap(
    argv: readonly [string, ...string[]],
    confinement: Confinement,
  ): Promise<readonly [string, ...string[]]> {
    const bwrap = await findProgram(program, hostPath(), '/')
    if (bwrap === undefined)
      throw new Fault('sandbox-unavailable', `there is no ${program} on this machine`, { hint: install })
    const path = insidePath(confinement)
    await mustBeInside(argv[0], path, confinement)
    system ??= systemMounts()
    const mounts = await confinementMounts(confinement)
    return [
      bwrap,
      ...namespaces(confinement),
      ...(await system),
      ...fresh,
      ...mounts,
      ...setting(confinement, path),
      '--',
      ...argv,
    ]
  }

  async function run(argv: readonly [string, ...string[]], { confinement, ...limits }: RunOptions): Promise<Ran> {
    const line = await wrap(argv, confinement)
    const mark = `run.${randomBytes(9).toString('hex')}`
    const ran = await runProcess(line, { ...limits, cwd: confinement.cwd, label: argv.join(' '), mark })
    // Somebody in there may fake these words: then what was to be judged is unavailable, which passes nothing.
    if (ran.exitCode === 1 && ran.stderr.startsWith('bwrap: ')) throw refused(ran.stderr)
    return ran
  }

  const protects = (): Promise<Protection> => (protection ??= tryProtection({ run, install }))

  return { name: 'bwrap', wrap, run, protects }
}

const namespaces = ({ network }: Confinement): readonly string[] => {
  const names = ['user', 'ipc', 'pid', 'uts', 'cgroup-try', ...(network === 'host' ? [] : ['net'])]
  const lasting = ['--die-with-parent', '--new-session', '--uid', '1000', '--gid', '1000', '--cap-drop', 'ALL']
  return [...names.map((name) => `--unshare-${name}`), ...lasting]
}

const fresh = ['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--tmpfs', '/var/tmp', '--tmpfs', '/run']

const setting = ({ cwd, home }: Confinement, path: string): readonly string[] => {
  const variables = { PATH: path, HOME: home, LANG: 'C.UTF-8', TMPDIR: '/tmp' }
  return ['--chdir', cwd, ...Object.entries(variables).flatMap(([name, value]) => ['--setenv', name, value])]
}

/** The Node that runs Gaffer first, then what people have on their PATH, as far as it can be seen from inside. */
function insidePath(confinement: Confinement): string {
  const folders = [dirname(process.execPath), ...hostPath().split(':'), '/usr/local/bin', '/usr/bin', '/bin']
  return [...new Set(folders)].filter((folder) => folder.startsWith('/') && isVisible(folder, confinement)).join(':')
}

const hostPath = (): string => process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'

async function mustBeInside(program: string, path: string, confinement: Confinement): Promise<void> {
  const inside = await findProgram(program, path, confinement.cwd)
  if (inside !== undefined && isVisible(inside, confinement)) return
  const outside = inside ?? (await findProgram(program, hostPath(), confinement.cwd))
  if (outside === undefined)
    throw new Fault('command-missing', `there is no program ${program}`, {
      hint: `install ${program}, or put its folder on the PATH`,
    })
  throw new Fault('command-missing', `${outside} cannot be seen inside the sandbox`, {
    hint: `install ${program} under /usr, or name its folder as readable`,
  })
}

function refused(stderr: string): Fault {
  const [line = ''] = stderr.split('\n')
  if (line.startsWith('bwrap: execvp '))
    return new Fault('command-missing', line.slice('bwrap: '.length), { hint: 'install it' })
  return new Fault('sandbox-unavailable', line, {
    hint: 'run `gaffer doctor`: it tries the sandbox and says what is wrong',
  })
}
