import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Around } from '../src/wiring/start-works.ts'
import type { Agents } from '../src/ports/agent.ts'
import type { Flow } from '../src/ports/flow.ts'
import { answers, builds, plans, startSite } from '../test/deliveries.ts'
import { median, ms, type Report } from './report.ts'

const count = 24
/** The durable steps of one unit, in order. */
const ofUnits = ['look', 'begin', 'start-unit', 'turn', 'gates', 'judge', 'questions', 'checkpoint', 'close-unit']
const units = Array.from({ length: count }, (_, index) => `unit-${String(index + 1).padStart(2, '0')}`)

/**
 * Gaffer's own share of a unit: the time from one checkpoint to the next, less the time spent in the agent (its start,
 * its turns, its end) and in the gates' commands; beside it the same steps as a plain script of git commands.
 */
export async function benchOverhead(): Promise<Report> {
  const away = stopwatch()
  await using site = await startSite(away.around)
  const turns = [plans(...units), ...units.map((unit) => builds(unit)), answers]
  const delivery = await site.delivery({ turns, settings: { gates: { nothing: { gate: 'command', run: 'true' } } } })
  const began = performance.now()
  const id = await delivery.delegate()
  await delivery.until(id, (task) => task.state === 'reviewing' && task.candidate !== null)
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
  const total = performance.now() - began

  const log = await site.gaffer.log(id)
  const closed = log.flatMap(({ event, at }) =>
    typeof event === 'object' && event !== null && 'type' in event && event.type === 'unit-checkpointed'
      ? [Date.parse(at)]
      : [],
  )
  const own = closed.slice(1).map((at, index) => at - (closed[index] ?? at) - away.within(closed[index] ?? at, at))
  const script = plainScript(delivery.repository.folder, join(delivery.folder, 'script'))
  const ownTotal = total - away.total()
  return {
    title: `Overhead: one delivery of ${count} units, replay agent, gates that do nothing`,
    rows: [
      { what: 'own share of a unit, median', value: ms(median(own)), target: null },
      { what: 'plain git script, a unit, median', value: ms(median(script)), target: null },
      { what: 'above the script', value: ms(median(own) - median(script)), target: '≤ 40 ms' },
      ...ofUnits.map((step) => ({
        what: `  of which ${step}`,
        value: ms(median(away.steps.get(step) ?? [])),
        target: null,
      })),
      {
        what: 'own share of the whole delivery',
        value: `${ms(ownTotal)}, ${((ownTotal / 600_000) * 100).toFixed(2)} % of ten minutes`,
        target: '≤ 1 %',
      },
    ],
    samples: { own, script, total: [total], ownTotal: [ownTotal] },
  }
}

/** When the agent or a gate's command had the word, by the wall clock; times that overlap count once. */
function stopwatch() {
  const spans: { from: number; to: number }[] = []
  const timed = async <T>(run: () => Promise<T>): Promise<T> => {
    const from = performance.timeOrigin + performance.now()
    try {
      return await run()
    } finally {
      spans.push({ from, to: performance.timeOrigin + performance.now() })
    }
  }
  const within = (from: number, to: number): number => {
    let [covered, reached] = [0, from]
    for (const span of spans.toSorted((a, b) => a.from - b.from)) {
      const [start, end] = [Math.max(span.from, reached), Math.min(span.to, to)]
      if (end <= start) continue
      covered += end - start
      reached = end
    }
    return covered
  }
  const agentsAround = (agents: Agents): Agents => ({
    async open(request) {
      const session = await timed(() => agents.open(request))
      return {
        id: session.id,
        prompt: (text, options) => timed(() => session.prompt(text, options)),
        close: () => timed(() => session.close()),
      }
    },
  })
  const steps = new Map<string, number[]>()
  /** What a durable step took, without the agent and the gates' commands in it. */
  const flowAround = (flow: Flow): Flow => ({
    id: flow.id,
    nap: (limitMs) => flow.nap(limitMs),
    child: (workflow, input) => flow.child(workflow, input),
    async step(name, run) {
      const from = performance.timeOrigin + performance.now()
      const answer = await flow.step(name, run)
      const to = performance.timeOrigin + performance.now()
      const kind = name.replace(/[-\d]+$/, '')
      steps.set(kind, [...(steps.get(kind) ?? []), to - from - within(from, to)])
      return answer
    },
  })
  const around: Around = {
    agents: agentsAround,
    flow: flowAround,
    sandbox: (sandbox) => ({
      name: sandbox.name,
      protects: () => sandbox.protects(),
      wrap: (argv, confinement) => sandbox.wrap(argv, confinement),
      run: (argv, options) => timed(() => sandbox.run(argv, options)),
    }),
  }
  return { around, within, steps, total: () => within(0, Number.MAX_SAFE_INTEGER) }
}

/** What somebody would type: change a file, take the tree, check it out clean, run the check, commit, push. */
function plainScript(hub: string, folder: string): number[] {
  mkdirSync(folder)
  const clone = join(folder, 'clone')
  const git = (cwd: string, ...argv: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...argv], { cwd, encoding: 'utf8' })
  git(folder, 'clone', '--quiet', hub, clone)
  git(clone, 'checkout', '--quiet', '-b', 'script')
  return units.map((unit) => {
    const began = performance.now()
    writeFileSync(join(clone, 'src', `${unit}.txt`), `${unit} by script\n`)
    git(clone, 'add', '--all')
    const tree = git(clone, 'write-tree').trim()
    const room = join(folder, 'room')
    mkdirSync(room)
    execFileSync('sh', ['-c', `git archive ${tree} | tar -x -C "${room}"`], { cwd: clone })
    // the check itself, which does nothing, is not timed on either side
    rmSync(room, { recursive: true })
    git(clone, 'commit', '--quiet', '--message', unit)
    git(clone, 'push', '--quiet', 'origin', 'script')
    return performance.now() - began
  })
}
