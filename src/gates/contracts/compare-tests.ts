import { matchCases, type Pair, type Placed } from './match-cases.ts'
import { strengthOf } from './strength.ts'
import type { Mark, TestFile } from './test-file.ts'

/** A way in which tests got weaker. `line` is null where the case or file is gone. */
export interface Weakening {
  readonly rule: string
  readonly path: string
  readonly line: number | null
  readonly message: string
  readonly mend: string
}
/** Test files of one side, and those that they import, by the importing file's path. */
export interface Side {
  readonly files: readonly TestFile[]
  readonly imported: ReadonlyMap<string, readonly TestFile[]>
}

/** Every way in which the tests of a change are weaker than those of its base. Pure. */
export function compareTests(before: Side, after: Side): readonly Weakening[] {
  const { pairs, lost, added } = matchCases(before.files, after.files)
  return [
    ...lost.map((one) => removed(one, after)),
    ...pairs.flatMap((pair) => [...newMarks(pair), ...fewerRows(pair), ...fewerAssertions(pair, before, after)]),
    ...added.flatMap(newCase),
    ...weakerFunctions(before, after),
    ...newlyBroken(before, after),
  ]
}

const removed = ({ file, test }: Placed, after: Side): Weakening => ({
  rule: 'test-removed',
  path: file.path,
  line: null,
  message: `the test "${test.title}" is gone${after.files.some(({ path }) => path === file.path) ? '' : ' with its file'}`,
  mend: 'put the test back; if it must go, ask the owner to remove it',
})

const saying: Readonly<Record<Mark, string>> = {
  skip: 'is skipped',
  todo: 'is only a todo',
  only: 'keeps all other tests from running (only)',
  'expected-to-fail': 'is expected to fail',
  conditional: 'is skipped under a condition',
}

const newMarks = ({ before, after }: Pair): readonly Weakening[] =>
  [...after.test.marks].filter((mark) => !before.test.marks.has(mark)).map((mark) => marked(after, mark, 'now '))

const marked = ({ file, test }: Placed, mark: Mark, now: string): Weakening => ({
  rule: mark === 'only' ? 'test-only' : 'test-skipped',
  path: file.path,
  line: test.line,
  message: `the test "${test.title}" ${now}${saying[mark]}`,
  mend: 'let the test run, and make the code pass it',
})

const fewerRows = ({ before, after }: Pair): readonly Weakening[] => {
  const [was, is] = [before.test.rows, after.test.rows]
  if (was === null || is === null || is >= was) return []
  const message = `the test "${after.test.title}" runs for ${is} rows of its table; on the base it was ${was}`
  return [{ rule: 'rows-removed', path: after.file.path, line: after.test.line, message, mend: 'put the rows back' }]
}

function fewerAssertions({ before, after }: Pair, base: Side, change: Side): readonly Weakening[] {
  const was = strengthOf(before.test.body, before.file, base.imported.get(before.file.path) ?? [])
  const is = strengthOf(after.test.body, after.file, change.imported.get(after.file.path) ?? [])
  return weaker(was, is, {
    what: `the test "${after.test.title}"`,
    path: after.file.path,
    line: after.test.line,
    trivial: after.test.body.trivial - before.test.body.trivial,
    muted: after.test.body.muted - before.test.body.muted,
  })
}

function weaker(
  was: { readonly real: number; readonly weak: number },
  is: { readonly real: number; readonly weak: number },
  where: {
    readonly what: string
    readonly path: string
    readonly line: number | null
    readonly trivial: number
    readonly muted: number
  },
): readonly Weakening[] {
  const { what, path, line } = where
  const also = [
    ...(where.trivial > 0 ? [`${where.trivial} that cannot fail came in`] : []),
    ...(where.muted > 0
      ? [`${where.muted} cannot fail any more (after a return, or in a try whose catch says nothing)`]
      : []),
  ]
  const [before, now] = [was.real + was.weak, is.real + is.weak]
  if (now < before) {
    const message = [`${what} has ${now} assertions; on the base it was ${before}`, ...also].join('; ')
    return [
      { rule: 'assertions-removed', path, line, message, mend: 'put the assertions back, and make the code pass them' },
    ]
  }
  if (is.real >= was.real || is.weak <= was.weak) return []
  const message = `${what} checks ${was.real - is.real} values less: they are only asserted to be there`
  return [{ rule: 'assertions-weakened', path, line, message, mend: 'assert the values themselves again' }]
}

/** A new test may be skipped under a condition (a platform, a service that is away), and otherwise has to say something. */
function newCase(placed: Placed): readonly Weakening[] {
  const { file, test } = placed
  const marks = [...test.marks].filter((mark) => mark !== 'conditional').map((mark) => marked(placed, mark, ''))
  const { real, weak, trivial, calls } = test.body
  if (trivial === 0 || real + weak > 0 || calls.some((name) => file.functions.has(name))) return marks
  const message = `the new test "${test.title}" asserts nothing that could be false`
  return [
    ...marks,
    { rule: 'trivial-test', path: file.path, line: test.line, message, mend: 'assert what the code does' },
  ]
}

/** Functions beside the tests, set-up code included: what they assert counts for every test that calls them. */
const weakerFunctions = (before: Side, after: Side): readonly Weakening[] =>
  before.files.flatMap((file) => {
    const same = after.files.find(({ path }) => path === file.path)
    if (same === undefined) return []
    return [...file.functions].flatMap(([name, body]) => {
      const now = same.functions.get(name)
      if (now === undefined) return []
      const was = strengthOf(body, file, before.imported.get(file.path) ?? [])
      const is = strengthOf(now, same, after.imported.get(file.path) ?? [])
      const what = name === '' ? 'the set-up code' : `the function ${name}`
      const [trivial, muted] = [now.trivial - body.trivial, now.muted - body.muted]
      return weaker(was, is, { what, path: file.path, line: null, trivial, muted })
    })
  })

/** What cannot be parsed cannot be compared. */
const newlyBroken = (before: Side, after: Side): readonly Weakening[] =>
  after.files
    .filter(({ isBroken, path }) => isBroken && before.files.some((file) => file.path === path && !file.isBroken))
    .map(({ path }) => ({
      rule: 'test-unreadable',
      path,
      line: null,
      message: 'the test file has a syntax error, so that nobody can see whether its tests still hold',
      mend: 'mend the syntax error',
    }))
