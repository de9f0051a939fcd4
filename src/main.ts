import { readFileSync } from 'node:fs'

/**
 * Where `gaffer` begins. The version is answered before anything is loaded; everything else loads the command line,
 * and each command its own parts.
 */
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const argv = process.argv.slice(2)

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) process.stdout.write(`${version}\n`)
else {
  // bin/gaffer turns the compile cache on from the outside; it is for this process and not for what it starts.
  delete process.env['NODE_COMPILE_CACHE']
  const [{ runCli }, { processTerminal }] = await Promise.all([import('./cli/run.ts'), import('./cli/terminal.ts')])
  process.exitCode = await runCli({
    argv,
    version,
    terminal: processTerminal(),
    wiring: async () => (await import('./wiring/wiring.ts')).wiring,
    cwd: process.cwd(),
    env: process.env,
  })
}
