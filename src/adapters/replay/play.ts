import { mkdir, readFile, readdir, rm, rmdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Step } from './step.ts'

/** Where a turn is played: an ACP connection, or a test's memory. */
export interface Stage {
  readonly workspace: string
  /** Aborted when the turn is cancelled. */
  readonly cancelled: AbortSignal
  say(text: string): Promise<void>
  think(text: string): Promise<void>
  tool(call: ToolReport): Promise<void>
  ask(question: { readonly title: string; readonly kind: string; readonly path: string | null }): Promise<boolean>
  run(command: string): Promise<{ readonly exitCode: number | null; readonly output: string }>
  spawn(command: string): void
  crash(code: number): Promise<never>
  flood(bytes: number): Promise<void>
}

export interface ToolReport {
  readonly title: string
  readonly kind: 'edit' | 'delete' | 'execute'
  readonly failed: boolean
  readonly path: string | null
  readonly output: string | null
}

/** Plays steps in order. A step that cannot be played ends the turn, and says why. */
export async function play(steps: readonly Step[], stage: Stage): Promise<'end-turn' | 'cancelled' | 'refusal'> {
  for (const step of steps) {
    if (stage.cancelled.aborted) return 'cancelled'
    try {
      const ended = await playStep(step, stage)
      if (ended !== undefined) return ended
    } catch (error) {
      if (stage.cancelled.aborted) return 'cancelled'
      await stage.say(`I could not ${step.kind}: ${error instanceof Error ? error.message : String(error)}`)
      return 'refusal'
    }
  }
  return stage.cancelled.aborted ? 'cancelled' : 'end-turn'
}

async function playStep(step: Step, stage: Stage): Promise<'cancelled' | 'refusal' | undefined> {
  switch (step.kind) {
    case 'say':
      await stage.say(step.text)
      return undefined
    case 'think':
      await stage.think(step.text)
      return undefined
    case 'answer':
      await stage.say(`\`\`\`json\n${JSON.stringify(step.value, null, 2)}\n\`\`\``)
      return undefined
    case 'write':
    case 'edit':
    case 'symlink':
      await change(step, resolve(stage.workspace, step.path))
      await stage.tool({
        title: `${step.kind} ${step.path}`,
        kind: 'edit',
        failed: false,
        path: step.path,
        output: null,
      })
      return undefined
    case 'delete':
      await remove(resolve(stage.workspace, step.path), stage.workspace)
      await stage.tool({ title: `delete ${step.path}`, kind: 'delete', failed: false, path: step.path, output: null })
      return undefined
    case 'run': {
      const { exitCode, output } = await stage.run(step.command)
      await stage.tool({ title: step.command, kind: 'execute', failed: exitCode !== 0, path: null, output })
      return undefined
    }
    case 'ask': {
      const allowed = await stage.ask({ title: step.title, kind: step.about, path: step.path })
      const ended = await play(allowed ? step.onAllow : step.onDeny, stage)
      return ended === 'end-turn' ? undefined : ended
    }
    case 'wait':
      await pause(step.seconds * 1_000, undefined, { signal: stage.cancelled })
      return undefined
    case 'crash':
      return stage.crash(step.code)
    case 'hang':
      return new Promise(() => setInterval(() => undefined, 60_000)) // not even a cancel is heard
    case 'spawn':
      stage.spawn(step.command)
      return undefined
    case 'flood':
      await stage.flood(step.bytes)
      return undefined
  }
}

async function change(step: Extract<Step, { kind: 'write' | 'edit' | 'symlink' }>, file: string): Promise<void> {
  if (step.kind === 'edit') {
    const before = await readFile(file, 'utf8')
    const parts = before.split(step.find)
    if (parts.length !== 2)
      throw new Error(`the text to replace is in ${step.path} ${parts.length - 1} times, not once`)
    return writeFile(file, parts.join(step.replace))
  }
  await mkdir(dirname(file), { recursive: true })
  if (step.kind === 'write') return writeFile(file, step.content)
  await rm(file, { force: true })
  return symlink(step.target, file)
}

async function remove(path: string, workspace: string): Promise<void> {
  await rm(path, { recursive: true })
  for (
    let folder = dirname(path);
    !relative(workspace, folder).startsWith('..') && folder !== workspace;
    folder = dirname(folder)
  ) {
    if ((await readdir(folder)).length > 0) return
    await rmdir(folder)
  }
}
