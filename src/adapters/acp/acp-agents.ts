import { createHash, randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { isAbsolute, normalize, relative } from 'node:path'
import { Fault } from '../../domain/fault.ts'
import type { Agents, AgentSession, SessionRequest } from '../../ports/agent.ts'
import type { Confinement, Sandbox } from '../../ports/sandbox.ts'
import { endLeftovers } from '../../process/leftovers.ts'
import { start, type Running } from '../../process/start.ts'
import { AcpSession } from './acp-session.ts'
import { agentMissing, startStopped } from './faults.ts'
import { programFolders } from './program-folders.ts'

export interface AcpOptions {
  readonly sandbox: Sandbox
  /** Programs that stand for a command of ours (`gaffer`), and what that has to be able to read. */
  readonly programs?: Readonly<
    Record<string, { readonly argv: readonly [string, ...string[]]; readonly readable: readonly string[] }>
  >
}

/**
 * Agents as processes that speak ACP v1 on stdio, each in the sandbox. What it needs to read for its own program is
 * shown to it; a read-only session gets its workspace as readable. What a killed Gaffer left running on the same
 * workspace is ended before a new session opens there.
 */
export function acpAgents({ sandbox, programs = {} }: AcpOptions): Agents {
  async function launch(request: SessionRequest, mark: string): Promise<Running> {
    const { agent, home } = request
    const [program, ...words] = agent.argv
    const ours = Object.hasOwn(programs, program) ? programs[program] : undefined
    const argv = ours === undefined ? agent.argv : ([...ours.argv, ...words] as const)
    const readable = [...(ours?.readable ?? []), ...(await programFolders(argv, process.env['PATH'] ?? ''))]
    await mkdir(home, { recursive: true })
    const confinement = confinementOf(request, readable)
    const line = await sandbox.wrap(argv, confinement)
    return start(line, { cwd: confinement.cwd, env: agent.env, label: agent.name, mark, graceMs: 2_000 })
  }

  return {
    async open(request): Promise<AgentSession> {
      const place = markOf(request.workspace)
      await endLeftovers(`${place}.`, { spared: `${place}.${instance}.` })
      if (request.signal?.aborted === true) throw startStopped(request.agent.name)
      const mark = `${place}.${instance}.${randomBytes(6).toString('hex')}`
      const running = await launch(request, mark).catch((error: unknown) => {
        throw error instanceof Fault && error.code === 'command-missing'
          ? agentMissing(request.agent.name, error)
          : error
      })
      const session = new AcpSession(request, running)
      try {
        await session.open()
        return session
      } catch (error) {
        await session.close()
        throw error
      }
    },
  }
}

/** This process of Gaffer; the agents of an earlier one, or of one that was given up, are leftovers. */
const instance = randomBytes(6).toString('hex')

/** The same for the same workspace, in every process of Gaffer. */
const markOf = (workspace: string): string =>
  `agent.${createHash('sha256').update(normalize(workspace)).digest('hex').slice(0, 20)}`

function confinementOf({ workspace, readOnly, confinement }: SessionRequest, programs: readonly string[]): Confinement {
  const writable = confinement.writable.filter((path) => !readOnly || !isWithin(path, workspace))
  const shown = [...confinement.readable, ...programs, ...(readOnly ? [workspace] : [])]
  return {
    ...confinement,
    writable: readOnly ? writable : [...new Set([...writable, workspace])],
    readable: [...new Set(shown)],
  }
}

const isWithin = (path: string, folder: string): boolean => {
  const way = relative(folder, path)
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}
