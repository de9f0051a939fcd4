/**
 * Words: a **Task** is one brief being delivered; a **Unit** is one logical step of its plan.
 * Identifiers and hashes are branded, so that a tree can never be passed where a commit is meant.
 */
declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** Can be said aloud: two or three words and three letters, `orders-endpoint-7k2`. */
export type TaskId = Branded<'TaskId'>
/** Kebab-case name of a unit, unique within its plan. */
export type UnitId = Branded<'UnitId'>
/** Full hexadecimal object name of a git commit (sha1 or sha256 repositories). */
export type CommitSha = Branded<'CommitSha'>
/** Full hexadecimal object name of a git tree. */
export type TreeSha = Branded<'TreeSha'>
/** `sha256:` and 64 hexadecimal digits, over exact bytes. */
export type Digest = Branded<'Digest'>
export type Email = Branded<'Email'>

const patterns = {
  task: /^[a-z0-9]+(?:-[a-z0-9]+){1,7}$/,
  unit: /^[a-z0-9]+(?:-[a-z0-9]+)*$/,
  object: /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/,
  digest: /^sha256:[0-9a-f]{64}$/,
  email: /^[^\s@<>"]+@[^\s@<>"]+$/,
}

const parser =
  <T extends string>(pattern: RegExp, what: string) =>
  (text: string): T => {
    if (!pattern.test(text)) throw new TypeError(`not ${what}: ${JSON.stringify(text.slice(0, 80))}`)
    return text as T
  }

export const taskId = parser<TaskId>(patterns.task, 'a task id')
export const unitId = parser<UnitId>(patterns.unit, 'a unit id')
export const commitSha = parser<CommitSha>(patterns.object, 'a commit id')
export const treeSha = parser<TreeSha>(patterns.object, 'a tree id')
export const digest = parser<Digest>(patterns.digest, 'a digest')
export const email = parser<Email>(patterns.email, 'an e-mail address')

export const isTaskId = (text: string): text is TaskId => patterns.task.test(text)
export const isEmail = (text: string): text is Email => patterns.email.test(text)

const sayable = '23456789abcdefghjkmnpqrstuvwxyz'
const fillers = new Set([
  'a',
  'an',
  'and',
  'the',
  'for',
  'of',
  'to',
  'in',
  'on',
  'with',
  'by',
  'add',
  'make',
  'from',
  'is',
])

/**
 * Names a task after its title. `entropy` are at least three random bytes; two tasks of one title
 * differ in their last three letters, and the caller draws again when the name is taken.
 */
export function nameTask(title: string, entropy: Uint8Array): TaskId {
  const words = (
    title
      .normalize('NFKD')
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? []
  ).filter((word) => !fillers.has(word))
  const said = words.slice(0, 3).map((word) => word.slice(0, 14))
  const suffix = Array.from(entropy.slice(0, 3), (byte) => sayable[byte % sayable.length]).join('')
  return taskId([...(said.length > 0 ? said : ['task']), suffix].join('-'))
}

/** The part of a text that can stand in a file name, a branch or a unit id. */
export const slug = (text: string): string =>
  (
    text
      .normalize('NFKD')
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? []
  )
    .join('-')
    .slice(0, 48)
    .replace(/-+$/, '') || 'unit'
