import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { median, ms, type Report } from './report.ts'

const root = resolve(import.meta.dirname, '..')
const gaffer = join(root, 'bin', 'gaffer')
const runs = 40

/** `gaffer --version` against `node -e 0`, taking turns in one run; install size; boot to serving on a warm data folder. */
export async function benchCli(): Promise<Report> {
  const node: number[] = []
  const version: number[] = []
  for (let run = 0; run < runs + 5; run += 1) {
    const pair = [timed(process.execPath, ['-e', '0']), timed(gaffer, ['--version'])] as const
    if (run < 5) continue // both warm up
    node.push(pair[0])
    version.push(pair[1])
  }
  const { cold, warm } = await boots()
  const size = (folder: string): number =>
    Number(spawnSync('du', ['-smL', join(root, folder)], { encoding: 'utf8' }).stdout.split('\t')[0])
  return {
    title: `Command line: medians of ${runs} turns`,
    rows: [
      { what: 'node -e 0', value: ms(median(node)), target: null },
      { what: 'gaffer --version', value: ms(median(version)), target: null },
      { what: 'ratio', value: `${(median(version) / median(node)).toFixed(2)} ×`, target: '≤ 3 ×' },
      { what: 'boot to serving, new data folder', value: ms(cold), target: null },
      {
        what: 'boot to serving, warm data folder',
        value: `${ms(median(warm))} (median of ${warm.length})`,
        target: '< 4000 ms',
      },
      { what: 'install size, packages', value: `${size('node_modules')} MB, development tools included`, target: null },
    ],
    samples: { node, version, bootWarm: warm, bootCold: [cold] },
  }
}

function timed(program: string, argv: readonly string[]): number {
  const began = performance.now()
  const { status } = spawnSync(program, argv, { stdio: 'ignore' })
  if (status !== 0) throw new Error(`${program} ${argv.join(' ')} ended with ${status}`)
  return performance.now() - began
}

async function boots(): Promise<{ cold: number; warm: number[] }> {
  const data = mkdtempSync(join(tmpdir(), 'gaffer-bench-'))
  try {
    const cold = await boot(data)
    const warm: number[] = []
    for (let run = 0; run < 5; run += 1) warm.push(await boot(data))
    return { cold, warm }
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

/** Until it says where it serves; then it is ended. */
async function boot(data: string): Promise<number> {
  const env = { ...process.env, GAFFER_DATA: data }
  delete (env as NodeJS.ProcessEnv)['DATABASE_URL']
  const began = performance.now()
  const server = spawn(gaffer, ['up', '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = new Promise((done) => server.once('exit', done))
  await Promise.race([new Promise((done) => server.stdout.once('data', done)), gone])
  const took = performance.now() - began
  if (server.exitCode !== null) throw new Error(`gaffer up ended with ${server.exitCode}`)
  server.kill('SIGTERM')
  await gone
  return took
}
