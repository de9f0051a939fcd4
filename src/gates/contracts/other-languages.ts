import type { Weakening } from './compare-tests.ts'

export interface Text {
  readonly path: string
  readonly before: string | null
  readonly after: string | null
}

const assertion =
  /\b(?:assert\w*|expect\w*|should|verify\w*|require\.\w+|XCTAssert\w*|EXPECT_\w+|ASSERT_\w+|REQUIRE|CHECK|t\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow))\b|\bassert!?\b|\bThen\b/
const skipping =
  /pytest\.mark\.(?:skip|skipif|xfail)|pytest\.skip\(|@?unittest\.(?:skip|expectedFailure)|@(?:Ignore|Disabled)\b|#\[ignore|\bt\.Skip\w*\(|\bb\.Skip\w*\(|\[(?:Fact|Theory)\(Skip|\[Ignore\b|XCTSkip|markTestSkipped|\b(?:xit|xdescribe|xcontext|pending)\b|@tag\s+:?skip|^\s*skip\b/
const comment = /^\s*(?:\/\/|#(?!\[)|--|\*|\/\*|""")/

/**
 * Test files in languages that are not parsed: none may go, none may lose lines that assert or win lines that skip.
 * Lines are counted over the whole change, so that moving a test is no loss.
 */
export function compareLines(files: readonly Text[]): readonly Weakening[] {
  const [lost, won] = [
    changedLines(files, ({ before, after }) => [before, after]),
    changedLines(files, ({ before, after }) => [after, before]),
  ]
  const gone = files.filter(({ before, after }) => before !== null && after === null)
  const moved = (path: string): boolean =>
    files.some((file) => file.before === null && file.after !== null && baseName(file.path) === baseName(path))
  const asserting = lost.filter(({ line }) => assertion.test(line))
  const newAssertions = won.filter(({ line }) => assertion.test(line)).length
  const fewer = asserting.length - newAssertions
  return [
    ...gone
      .filter(({ path }) => !moved(path))
      .map(({ path }) => weakening('test-removed', path, 'the test file is gone', 'put the test file back')),
    ...(fewer > 0
      ? [
          weakening(
            'assertions-removed',
            asserting[0]?.path ?? '',
            `${fewer} lines that assert something are gone from the tests, the first: ${asserting[0]?.line.trim().slice(0, 200) ?? ''}`,
            'put the assertions back, and make the code pass them',
          ),
        ]
      : []),
    ...won
      .filter(({ line }) => skipping.test(line))
      .map(({ path, line, number }) => ({
        ...weakening('test-skipped', path, `a test is skipped: ${line.trim().slice(0, 200)}`, 'let the test run'),
        line: number,
      })),
  ]
}

interface Line {
  readonly path: string
  readonly line: string
  readonly number: number
}

/** Lines of one side that the other side of the whole change does not have, each as often as it is missing. */
function changedLines(
  files: readonly Text[],
  sides: (file: Text) => readonly [string | null, string | null],
): readonly Line[] {
  const others = new Map<string, number>()
  for (const file of files)
    for (const { line } of linesOf(file.path, sides(file)[1]))
      others.set(line.trim(), (others.get(line.trim()) ?? 0) + 1)
  return files
    .flatMap((file) => linesOf(file.path, sides(file)[0]))
    .filter(({ line }) => {
      const left = others.get(line.trim()) ?? 0
      if (left > 0) others.set(line.trim(), left - 1)
      return left === 0
    })
}

const linesOf = (path: string, text: string | null): readonly Line[] =>
  (text ?? '')
    .split('\n')
    .map((line, index) => ({ path, line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== '' && !comment.test(line))

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const weakening = (rule: string, path: string, message: string, mend: string): Weakening => ({
  rule,
  path,
  line: null,
  message,
  mend,
})
