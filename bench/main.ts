import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { Report } from './report.ts'

/** `script/bench NAME`: runs one benchmark, prints its table and writes bench/out/NAME.json. */
const benches: Readonly<Record<string, () => Promise<Report>>> = {
  cli: async () => (await import('./cli.ts')).benchCli(),
  overhead: async () => (await import('./overhead.ts')).benchOverhead(),
}

const [name = ''] = process.argv.slice(2)
const bench = benches[name]
if (bench === undefined) {
  console.error(`script/bench NAME, where NAME is one of: ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
const report = await bench()
const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.versions.node}`
console.log(`\n${report.title}\n${machine}\n`)
const width = Math.max(...report.rows.map(({ what }) => what.length))
for (const { what, value, target } of report.rows)
  console.log(`  ${what.padEnd(width)}  ${value}${target === null ? '' : `   (target ${target})`}`)
const out = join(import.meta.dirname, 'out')
mkdirSync(out, { recursive: true })
writeFileSync(
  join(out, `${name}.json`),
  `${JSON.stringify({ machine, at: new Date().toISOString(), ...report }, null, 2)}\n`,
)
console.log(`\n  written to ${join('bench', 'out', `${name}.json`)}`)
process.exit(0)
