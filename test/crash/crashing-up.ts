import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs'
import { up } from '../../src/wiring/up.ts'
import type { Flow } from '../../src/ports/flow.ts'

/**
 * `gaffer up`, with an axe: at every durable step that is not in the log yet it writes the step down and kills this
 * process with SIGKILL. `before`: the step has not begun. `after`: its effects are there, and nobody remembers it.
 * usage: crashing-up.ts DATA LOG before|after
 */
const [data = '', log = '', moment = ''] = process.argv.slice(2)

const known = (): ReadonlySet<string> => new Set(existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [])

function die(step: string): never {
  const file = openSync(log, 'a')
  appendFileSync(file, `${step}\n`)
  fsyncSync(file)
  closeSync(file)
  process.kill(process.pid, 'SIGKILL')
  for (;;); // the signal is on its way
}

const through = (flow: Flow): Flow => ({
  id: flow.id,
  nap: (limitMs) => flow.nap(limitMs),
  child: (workflow, input) => flow.child(workflow, input),
  step: (name, run) =>
    flow.step(name, async (signal) => {
      const step = `${flow.id} ${name}`
      const first = !known().has(step)
      if (first && moment === 'before') die(step)
      const answer = await run(signal)
      if (first && moment === 'after') die(step)
      return answer
    }),
})

const running = await up({ data, port: null }, { flow: through })
process.stdout.write(`${JSON.stringify({ url: running.url })}\n`)
process.once('SIGTERM', () => void running.stop())
await running.stopped
process.exit(0)
