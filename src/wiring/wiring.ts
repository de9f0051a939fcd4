import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Wiring } from '../cli/wiring.ts'
import { Fault, refuse } from '../domain/fault.ts'
import { root } from './program.ts'

/** What the command line needs done on this machine. Each method loads only its own parts. */
export const wiring: Wiring = {
  up: async (options) => (await import('./up.ts')).up(options),
  worker: async (options) => (await import('./worker.ts')).worker(options),
  doctor: async (options) => (await import('./doctor.ts')).doctorChecks(options),
  checkBrief: async (options) => (await import('./check-brief.ts')).checkBriefIn(options),
  rebuild: async (options) => (await import('./rebuild.ts')).rebuildReadModels(options),

  async verify({ folder, range, trust }) {
    const { verify } = await import('../own/verify.ts')
    const history = await inspect(folder)
    return verify(history, range ?? undefined, trust.kind === 'files' ? trust : undefined)
  },

  async preReceive({ folder, updates }) {
    const { judgePush } = await import('../own/pre-receive.ts')
    const verdict = await judgePush(await inspect(folder), updates)
    return verdict.kind === 'allowed' ? { ok: true, lines: [] } : { ok: false, lines: verdict.lines }
  },

  async installHook({ folder }) {
    const { installHook } = await import('../own/install-hook.ts')
    const installed = await installHook(folder, [`${root}/bin/gaffer`])
    if (installed.kind === 'installed') return { kind: 'installed', path: installed.file }
    return refuse(
      'the hook was not installed',
      installed.kind === 'taken' ? `${installed.file} is somebody's own` : `hooks come from ${installed.folder}`,
      installed.todo,
    )
  },

  async evidenceKey({ data }) {
    const { loadInstanceKey } = await import('../own/instance-key.ts')
    return (await loadInstanceKey(data)).publicPem
  },

  async sign(options) {
    const { signWithKey } = await import('../own/sign-off.ts')
    return signWithKey(options)
  },

  async replayFile(sessions) {
    const { replayFileOf } = await import('./replay-file.ts')
    return replayFileOf(sessions)
  },

  async replay({ file }) {
    const [{ runReplayAgent }, { parseSession }] = await Promise.all([
      import('../adapters/replay/replay-agent.ts'),
      import('../adapters/replay/session-file.ts'),
    ])
    const session = parseSession(readSession(file), file)
    await runReplayAgent(session, {
      input: process.stdin,
      output: process.stdout,
      env: process.env,
      exit: (code) => process.exit(code),
    })
    return 0
  },
}

async function inspect(folder: string) {
  const { createRepositories } = await import('../adapters/git/repositories.ts')
  return createRepositories({ folder: tmpdir() }).inspect(folder)
}

function readSession(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Fault('bad-input', `the session file ${file} cannot be read`, {
      hint: 'name a file that `gaffer log TASK --save FILE` wrote',
      cause,
    })
  }
}
