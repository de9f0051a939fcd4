import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Fault } from '../../domain/fault.ts'
import type { Confinement, Protection, Ran, RunOptions, Sandbox } from '../../ports/sandbox.ts'
import { findProgram } from '../../process/find-program.ts'
import { run as runProcess } from '../../process/run.ts'

/**
 * No sandbox: what runs here can do what the person who started Gaffer can do. It keeps what needs no kernel: its own
 * home and environment, a process group that ends as a whole, limits on time and output.
 */
export function unconfinedSandbox(): Sandbox {
  async function wrap(
    argv: readonly [string, ...string[]],
    confinement: Confinement,
  ): Promise<readonly [string, ...string[]]> {
    const path = searchPath()
    const program = await findProgram(argv[0], path, confinement.cwd)
    if (program === undefined)
      throw new Fault('command-missing', `there is no program ${argv[0]}`, {
        hint: `install ${argv[0]}, or put its folder on the PATH`,
      })
    const temporary = join(confinement.home, '.tmp')
    await mkdir(temporary, { recursive: true }).catch((cause: unknown) => {
      throw new Fault('sandbox-unavailable', `${confinement.home} cannot be used as a home folder`, {
        hint: 'make it writable',
        cause,
      })
    })
    const setting = [`PATH=${path}`, `HOME=${confinement.home}`, 'LANG=C.UTF-8', `TMPDIR=${temporary}`]
    return ['/usr/bin/env', ...setting, program, ...argv.slice(1)]
  }

  async function run(argv: readonly [string, ...string[]], { confinement, ...limits }: RunOptions): Promise<Ran> {
    const line = await wrap(argv, confinement)
    const mark = `run.${randomBytes(9).toString('hex')}`
    return runProcess(line, { ...limits, cwd: confinement.cwd, label: argv.join(' '), mark })
  }

  const protects = (): Promise<Protection> =>
    Promise.resolve({
      kind: 'unconfined',
      why: 'no sandbox is in use: an agent can read and write whatever you can',
      todo:
        process.platform === 'linux'
          ? 'install bubblewrap (Debian, Ubuntu: `apt install bubblewrap`)'
          : 'run Gaffer on Linux or in a Linux container, where bubblewrap confines agents',
    })

  return { name: 'none', wrap, run, protects }
}

const searchPath = (): string => {
  const folders = [
    dirname(process.execPath),
    ...(process.env['PATH'] ?? '').split(':'),
    '/usr/local/bin',
    '/usr/bin',
    '/bin',
  ]
  return [...new Set(folders)].filter((folder) => folder.startsWith('/')).join(':')
}
