import { readFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** `node src/adapters/replay/main.ts FILE`: an ACP agent on stdio that plays a session file. */
const [file] = process.argv.slice(2)
if (file === undefined) {
  process.stderr.write('usage: gaffer replay FILE\n')
  process.exit(2)
}
// Halves the start of every session in the same home but the first; imports have to come after it.
enableCompileCache(join(homedir(), '.cache', 'gaffer'))
const { parseSession } = await import('./session-file.ts')
const { runReplayAgent } = await import('./replay-agent.ts')
try {
  const session = parseSession(readFileSync(file, 'utf8'), file)
  await runReplayAgent(session, {
    input: process.stdin,
    output: process.stdout,
    env: process.env,
    exit: (code) => process.exit(code),
  })
  process.exit(0) // whatever is still under way
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(2)
}
