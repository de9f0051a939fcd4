import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { acpAgents } from '../../src/adapters/acp/acp-agents.ts'
import { bwrapSandbox } from '../../src/adapters/bwrap/bwrap-sandbox.ts'
import { unconfinedSandbox } from '../../src/adapters/unconfined/unconfined-sandbox.ts'
import type { Sandbox } from '../../src/ports/sandbox.ts'
import { scriptedAgents } from '../fakes/scripted-agents.ts'
import { agentsContract, type PreparedAgents } from './agents.ts'

const source = resolve(import.meta.dirname, '../..')
const replay = join(source, 'src/adapters/replay/main.ts')

const replayIn =
  (sandbox: Sandbox) =>
  async (sessionFile: string, folder: string): Promise<PreparedAgents> => {
    const file = join(folder, 'session.yaml')
    await writeFile(file, sessionFile)
    return {
      agents: acpAgents({ sandbox, programs: { gaffer: { argv: [process.execPath, replay], readable: [source] } } }),
      agent: { name: 'replay', argv: ['gaffer', file], env: {}, model: null },
      readable: [],
    }
  }

const protection = await bwrapSandbox().protects()
const missing = protection.kind === 'confined' ? null : protection.why
agentsContract('the replay agent over ACP in bubblewrap', replayIn(bwrapSandbox()), missing)

agentsContract('the replay agent over ACP without a sandbox', replayIn(unconfinedSandbox()))

agentsContract('scripted agents in memory', (sessionFile) =>
  Promise.resolve({
    agents: scriptedAgents(sessionFile),
    agent: { name: 'scripted', argv: ['none'], env: {}, model: null },
    readable: [],
  }),
)
