import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { Fault } from '../../domain/fault.ts'
import { settled } from './environment.ts'
import { hashObject, formatOf, damaged, type ObjectKind } from './objects.ts'
import type { Place } from './run-git.ts'

/**
 * Reads objects through one `git cat-file --batch-command` process, started when first needed.
 *
 *     stopped → running → stopped           (idle, died, or closed; the next question starts it again)
 *
 * Invariants:
 *  R1  answers come in the order of the questions; `waiting` is the questions with no answer yet.
 *  R2  a process that dies with questions open is replaced once, and they are asked again; the second death is theirs.
 *  R3  an object whose bytes do not hash to its name is never given out.
 *  R4  the process keeps neither itself nor this one alive: it ends when its stdin does.
 */
export interface GitObject {
  readonly sha: string
  readonly kind: ObjectKind
  readonly content: Buffer
}
export interface ObjectHead {
  readonly sha: string
  readonly kind: ObjectKind
  readonly sizeBytes: number
}

interface Question {
  readonly line: string
  readonly wantsContent: boolean
  readonly settle: (answer: GitObject | ObjectHead | undefined) => void
  readonly fail: (fault: Fault) => void
  tries: number
}

const idleMs = 20_000
const stuckMs = 120_000

export class ObjectReader {
  readonly #place: Place
  #child: ChildProcess | undefined
  #waiting: Question[] = []
  #chunks: Buffer[] = []
  #size = 0
  #needed = 1
  #lastWords = ''
  #timer: NodeJS.Timeout | undefined

  constructor(place: Place) {
    this.#place = place
  }

  /** The object of a full id; undefined when there is none. */
  async read(sha: string): Promise<GitObject | undefined> {
    const answer = await this.#ask(`contents ${sha}`, true)
    if (answer === undefined || !('content' in answer)) return undefined
    if (hashObject(formatOf(sha), answer.kind, answer.content) !== sha) throw damaged(`object ${sha}`)
    return answer
  }

  /** What a revision or id means, without its content; undefined when it means nothing, or several things. */
  async look(revision: string): Promise<ObjectHead | undefined> {
    if (/^-|^$|[\p{Cc} ]/u.test(revision)) return undefined
    const answer = await this.#ask(`info ${revision}`, false)
    return answer === undefined || 'content' in answer ? undefined : answer
  }

  /** Ends the process; open questions fail. Safe to repeat; it may be asked again afterwards. */
  async close(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    setReferenced(child, true) // or nobody would wait for its end
    const ended = child.exitCode !== null || child.signalCode !== null
    const gone = new Promise<void>((resolve) => (ended ? resolve() : child.once('exit', () => resolve())))
    this.#forget()
    this.#failAll(new Fault('git-failed', 'the repository was closed while it was read', { hint: 'open it again' }))
    child.stdin?.end()
    child.kill('SIGKILL')
    await gone
  }

  #ask(line: string, wantsContent: boolean): Promise<GitObject | ObjectHead | undefined> {
    return new Promise((settle, fail) => this.#send({ line, wantsContent, settle, fail, tries: 0 }))
  }

  #send(question: Question): void {
    question.tries += 1
    this.#waiting.push(question)
    this.#watch(stuckMs)
    this.#child ??= this.#start()
    setReferenced(this.#child, true)
    this.#child.stdin?.write(`${question.line}\n`)
  }

  #start(): ChildProcess {
    const child = spawn('git', [...settled, 'cat-file', '--batch-command'], {
      cwd: this.#place.cwd,
      env: this.#place.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true, // Ctrl-C in our terminal is not meant for it
      windowsHide: true,
    })
    this.#lastWords = ''
    child.stdin.on('error', () => undefined) // its end is told by `close`
    child.stdout.on('data', (chunk: Buffer) => {
      if (child === this.#child) this.#receive(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      this.#lastWords = `${this.#lastWords}${chunk.toString('utf8')}`.slice(-1_000)
    })
    child.on('error', () => this.#died(child))
    child.on('close', () => this.#died(child))
    return child
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size < this.#needed) return
    let buffer = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    for (let question = this.#waiting[0]; question !== undefined; question = this.#waiting[0]) {
      const answer = parseAnswer(buffer, question.wantsContent)
      if (answer.kind === 'incomplete') {
        this.#needed = answer.needed
        break
      }
      this.#needed = 1
      buffer = buffer.subarray(answer.length)
      this.#waiting.shift()
      question.settle(answer.kind === 'found' ? answer.object : undefined)
    }
    this.#chunks = buffer.length > 0 ? [buffer] : []
    this.#size = buffer.length
    if (this.#waiting.length > 0) return this.#watch(stuckMs)
    if (this.#child !== undefined) setReferenced(this.#child, false)
    this.#watch(idleMs)
  }

  #died(child: ChildProcess): void {
    if (child !== this.#child) return
    const open = this.#waiting
    const said = this.#lastWords.trim()
    this.#forget()
    this.#waiting = []
    for (const question of open) {
      if (question.tries < 2) this.#send(question)
      else
        question.fail(
          new Fault('git-failed', `git cat-file ended: ${said === '' ? 'it said nothing' : said}`, {
            hint: 'run git fsck in that repository to see whether it is damaged',
          }),
        )
    }
  }

  /** One timer: nothing asked for a while ends the process quietly, no answer for long ends it as stuck. */
  #watch(limitMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const child = this.#child
      if (this.#waiting.length === 0) this.#forget()
      child?.stdin?.end()
      child?.kill('SIGKILL')
    }, limitMs)
    if (limitMs === idleMs) this.#timer.unref()
  }

  #forget(): void {
    clearTimeout(this.#timer)
    this.#child = undefined
    this.#chunks = []
    this.#size = 0
    this.#needed = 1
  }

  #failAll(fault: Fault): void {
    const open = this.#waiting
    this.#waiting = []
    for (const question of open) question.fail(fault)
  }
}

type Answer =
  | { readonly kind: 'incomplete'; readonly needed: number }
  | { readonly kind: 'missing'; readonly length: number }
  | { readonly kind: 'found'; readonly length: number; readonly object: GitObject | ObjectHead }

/** `<id> <type> <size>LF`, then the content and LF when it was asked for; anything else on the line means none. */
export function parseAnswer(buffer: Buffer, wantsContent: boolean): Answer {
  const end = buffer.indexOf(0x0a)
  if (end === -1) return { kind: 'incomplete', needed: buffer.length + 1 }
  const match = /^([0-9a-f]{40}|[0-9a-f]{64}) (blob|tree|commit|tag) (\d+)$/.exec(buffer.toString('latin1', 0, end))
  if (match === null) return { kind: 'missing', length: end + 1 }
  const sha = match[1] ?? ''
  const kind = objectKind(match[2] ?? '')
  const sizeBytes = Number(match[3])
  if (!wantsContent) return { kind: 'found', length: end + 1, object: { sha, kind, sizeBytes } }
  const length = end + 1 + sizeBytes + 1
  if (buffer.length < length) return { kind: 'incomplete', needed: length }
  // A copy: a view would keep the whole chunk alive for as long as one small object is cached.
  const content = Buffer.from(buffer.subarray(end + 1, length - 1))
  return { kind: 'found', length, object: { sha, kind, content } }
}

const objectKind = (word: string): ObjectKind => {
  if (word === 'blob' || word === 'tree' || word === 'commit') return word
  return 'tag'
}

/** A pipe has `unref`, a stream in general does not: Node gives pipes to children. */
function setReferenced(child: ChildProcess, wanted: boolean): void {
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) {
    const turn: unknown = handle === null ? undefined : Reflect.get(handle, wanted ? 'ref' : 'unref')
    if (typeof turn === 'function') Reflect.apply(turn, handle, [])
  }
}
