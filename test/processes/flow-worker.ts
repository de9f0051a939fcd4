import { appendFileSync } from 'node:fs'
import { createFlows } from '../../src/engine/flow/flows.ts'
import { openDatabase } from '../../src/engine/postgres/database.ts'

/**
 * A worker as a process of its own, for tests that kill it: `node flow-worker.ts`, with DATABASE_URL, JOURNAL (a file
 * that gets one line for each thing that happens), HANG (name of the step to hang in), SLOW (name of a step that ends
 * once the process was paused and goes on) and UNSEEN_MS.
 */
const {
  DATABASE_URL: url = '',
  JOURNAL: journal = '',
  HANG: hang = '',
  SLOW: slow = '',
  UNSEEN_MS: unseenMs = '',
} = process.env
const note = (line: string): void => appendFileSync(journal, `${line}\n`)

const database = await openDatabase({ kind: 'url', url })
const flows = await createFlows({
  database,
  runs: true,
  queues: { main: { concurrencyPerWorker: null }, build: { concurrencyPerWorker: 1 } },
  times: { beatMs: 200, unseenMs: Number(unseenMs) },
  workflows: {
    async deliver(flow, argument) {
      for (const name of ['one', 'two', 'three'])
        await flow.step(name, async () => {
          note(`${argument} ${name}`)
          if (name === hang) await new Promise(() => setInterval(() => undefined, 1_000))
          if (name === slow) {
            await pauseOfThisProcess()
            note(`${argument} ${name} done`)
          }
        })
      const built = await flow.child<string>('build', { id: `${flow.id}/build`, queue: 'build', argument })
      await flow.step('end', async () => note(`${argument} end ${built}`))
    },
    async build(flow, argument) {
      return flow.step('build', async () => {
        note(`${argument} build`)
        if (hang === 'build') await new Promise(() => setInterval(() => undefined, 1_000))
        return `built-${argument}`
      })
    },
  },
})
note('ready')

/** Resolves when the clock jumped: somebody stopped the process and let it go on. */
async function pauseOfThisProcess(): Promise<void> {
  for (let before = Date.now(); Date.now() - before < 1_000;) {
    before = Date.now()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
process.on('SIGTERM', () => void flows.close().then(() => database.close()))
