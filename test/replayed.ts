import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { play, type Stage } from '../src/adapters/replay/play.ts'
import { parseSession } from '../src/adapters/replay/session-file.ts'
import type { ReplaySession, ReplayTurn } from '../src/adapters/replay/step.ts'
import { readBrief } from '../src/delegate/brief/read-brief.ts'
import { readAnswer } from '../src/delegate/read-answer.ts'
import type { Brief } from '../src/domain/brief.ts'
import { answersSchema, planSchema, type Answers, type Plan } from '../src/domain/plan.ts'

export const examples = join(import.meta.dirname, '..', 'examples')

/** A session file of examples/sessions and the brief it builds, as the workflow would come to know them. */
export interface Example {
  readonly session: ReplaySession
  readonly brief: Brief
  readonly plan: Plan
  readonly rounds: readonly Round[]
  /** What is said about a unit when it is asked the three questions. */
  answers(unit: string): Promise<Answers>
}
export interface Round {
  readonly unit: string
  readonly round: number
  readonly isLast: boolean
  readonly turn: ReplayTurn
}

export async function readExample(name: string): Promise<Example> {
  const session = parseSession(await readFile(join(examples, 'sessions', `${name}.yaml`), 'utf8'), name)
  const read = readBrief(await readFile(join(examples, 'briefs', `${name}.md`), 'utf8'))
  if (read.kind === 'unreadable') throw new Error(JSON.stringify(read.problems))
  const plan = await answered(session, 'stage=plan', planSchema)
  return {
    session,
    brief: read.brief,
    plan,
    rounds: roundsOf(session),
    answers: (unit) => answered(session, `stage=questions unit=${unit}`, answersSchema),
  }
}

function roundsOf({ turns }: ReplaySession): readonly Round[] {
  const built = turns.flatMap((turn) => {
    const [, unit, round] = /^stage=build unit=(\S+) round=(\d+)$/.exec(turn.when ?? '') ?? []
    return unit === undefined ? [] : [{ unit, round: Number(round), turn }]
  })
  return built.map((one, index) => ({ ...one, isLast: built[index + 1]?.unit !== one.unit }))
}

async function answered<T>(session: ReplaySession, when: string, schema: z.ZodType<T>): Promise<T> {
  const turn = session.turns.find((one) => one.when === when)
  if (turn === undefined) throw new Error(`no turn answers ${when}`)
  const answer = readAnswer(await playTurn(turn, '/nowhere'), schema)
  if (answer.kind !== 'read') throw new Error(`${when}: ${JSON.stringify(answer)}`)
  return answer.value
}

/** Plays a turn on a folder; returns what was said. Throws when a step could not be played. */
export async function playTurn({ steps }: ReplayTurn, workspace: string): Promise<string> {
  const said: string[] = []
  const never = (): never => {
    throw new Error('an example only says and changes')
  }
  const stage: Stage = {
    workspace,
    cancelled: new AbortController().signal,
    say: async (text) => void said.push(text),
    think: async () => undefined,
    tool: async () => undefined,
    ask: never,
    run: never,
    spawn: never,
    crash: never,
    flood: never,
  }
  const ended = await play(steps, stage)
  if (ended !== 'end-turn') throw new Error(said.join('\n'))
  return said.join('\n')
}
