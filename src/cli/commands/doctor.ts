import { Fault } from '../../domain/fault.ts'
import type { Answer } from '../answer.ts'
import type { Context } from '../context.ts'
import { plural } from '../render/layout.ts'
import { oneLine } from '../render/printable.ts'
import type { CheckResult, DoctorCheck } from '../wiring.ts'

type Checked = CheckResult & { readonly name: string }

/** `gaffer doctor`: tries what it reports; exit 1 when anything that is needed fails. */
export async function doctor(context: Context): Promise<Answer> {
  const checks = await (await context.wiring()).doctor({ data: context.data, folder: context.cwd })
  const nameWidth = Math.max(0, ...checks.map(({ name }) => name.length))
  const results: Checked[] = []
  for (const check of checks) {
    const result = { name: check.name, ...(await tryCheck(check)) }
    results.push(result)
    for (const line of showCheck(result, nameWidth, context)) context.say(line)
  }
  const [failed, warned] = [
    results.filter(({ state }) => state === 'fail').length,
    results.filter(({ state }) => state === 'warn').length,
  ]
  // No check at all says nothing, and nothing is not health.
  const ok = failed === 0 && results.length > 0
  const summary = ok
    ? `ready${warned > 0 ? `, with ${plural(warned, 'thing')} to know` : ''}`
    : `not ready: ${plural(failed, 'check')} failed`
  return { data: { ok, checks: results }, text: ['', summary], exit: ok ? 0 : 1 }
}

async function tryCheck(check: DoctorCheck): Promise<CheckResult> {
  try {
    return await check.run()
  } catch (error) {
    if (error instanceof Fault) return { state: 'fail', says: error.message, todo: error.hint }
    return {
      state: 'fail',
      says: error instanceof Error ? error.message : String(error),
      todo: 'report it: this check could not run',
    }
  }
}

function showCheck({ name, state, says, todo }: Checked, nameWidth: number, { paint }: Context): string[] {
  const word = { ok: paint.good('ok  '), warn: paint.needed('warn'), fail: paint.bad('fail') }[state]
  const gap = ' '.repeat(nameWidth + 8)
  return [
    `${word}  ${name.padEnd(nameWidth)}  ${oneLine(says)}`,
    ...(todo === null || state === 'ok' ? [] : [`${gap}${oneLine(todo)}`]),
  ]
}
