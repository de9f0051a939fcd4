import type { Node } from '../../codegraph/syntax.ts'
import type { Link } from './call-chain.ts'

/**
 * What a call asserts: `real` something, `weak` only that there is something, `trivial` nothing that could ever be
 * false.
 */
export interface Assertion {
  readonly kind: 'real' | 'weak' | 'trivial'
  /** One, or the number of assertions chained: `request(app).get('/').expect(200).expect(/ok/)`. */
  readonly count: number
}

const words = /^(?:expect|assert|should|must)$/i
const helpers = /^(?:expect|assert|should|verify|check|ensure|must)(?:[A-Z_]\w*)$/
/** What ava, tap, tape and Node call them on their context, `t.is(a, b)`. */
const onContext =
  /^(?:is|isNot|ok|notOk|true|false|truthy|falsy|equal|equals|notEqual|same|notSame|strictSame|strictEqual|notStrictEqual|deepEqual|notDeepEqual|deepStrictEqual|notDeepStrictEqual|like|match|matches|notMatch|regex|throws|throwsAsync|notThrows|notThrowsAsync|rejects|doesNotReject|doesNotThrow|snapshot|pass|fail|error|ifError|plan)$/
const weakMatchers =
  /^(?:toBeDefined|toBeTruthy|toBeFalsy|toBeNull|toBeUndefined|toBeInstanceOf|exist|exists|ok|isDefined|isOk|defined)$/
const alwaysTrue = /^(?:pass)$/

/** Reads a whole chain of calls; undefined when it asserts nothing. */
export function assertionOf(links: readonly Link[]): Assertion | undefined {
  const [root, ...rest] = links
  if (root === undefined) return undefined
  const asserting = links.filter(
    ({ name, args }, index) => words.test(name) && (args !== null || index === 0 || /should/i.test(name)),
  )
  const called = links.some(({ args }) => args !== null)
  const helper = links.findLast(({ args }) => args !== null)?.name ?? ''
  const onTestContext =
    /^(?:t|tc|ctx|context|test|assert)$/.test(root.name) && rest.length > 0 && onContext.test(helper)
  if (!called || (asserting.length === 0 && !helpers.test(helper) && !onTestContext)) return undefined
  const kind = isTrivial(links) ? 'trivial' : isWeak(links) ? 'weak' : 'real'
  return { kind, count: Math.max(1, asserting.length) }
}

function isWeak(links: readonly Link[]): boolean {
  const last = links.at(-1)
  if (last === undefined) return false
  if (weakMatchers.test(last.name)) return true
  const [root] = links
  // `toBe(true)` says no more than `toBeTruthy()` for somebody who rewrites one as the other.
  return (
    root?.name === 'expect' &&
    last.args?.length === 1 &&
    last.args.every((arg) => /^(?:true|false|null|undefined)$/.test(arg.text))
  )
}

function isTrivial(links: readonly Link[]): boolean {
  const [root, last] = [links[0], links.at(-1)]
  if (root === undefined || last === undefined) return false
  if (links.some(({ name, args }) => alwaysTrue.test(name) && args !== null)) return true
  if (root.name === 'expect') {
    const [actual] = root.args ?? []
    if (actual === undefined || links.length === 1 || /^(?:fail|unreachable)$/.test(last.name)) return false
    const expected = last.args?.[0]
    return isFixed(actual) && (expected === undefined || isFixed(expected)) ? true : isSame(actual, expected)
  }
  if (!/^(?:assert|t|should)$/.test(root.name)) return false
  const [first, second] = last.args ?? []
  if (first === undefined || /^(?:fail|throws|rejects|ifError)$/.test(last.name)) return false
  const one = links.length === 1 || /^(?:ok|notOk|true|false|truthy|falsy)$/.test(last.name)
  return one ? isFixed(first) : second !== undefined && ((isFixed(first) && isFixed(second)) || isSame(first, second))
}

/** The same expression twice, with nothing in it that could give another value the second time. */
const isSame = (a: Node, b: Node | undefined): boolean =>
  b !== undefined && a.text === b.text && !/[()`]|\bawait\b|\bnew\b/.test(a.text)

/** A value that stands in the source and depends on nothing. */
function isFixed(node: Node): boolean {
  switch (node.type) {
    case 'true':
    case 'false':
    case 'null':
    case 'undefined':
    case 'number':
    case 'string':
    case 'regex':
      return true
    case 'template_string':
      return !node.namedChildren.some(({ type }) => type === 'template_substitution')
    case 'identifier':
      return node.text === 'undefined' || node.text === 'NaN'
    case 'unary_expression':
    case 'parenthesized_expression':
    case 'as_expression':
    case 'satisfies_expression':
    case 'non_null_expression': {
      const inner = node.childForFieldName('argument') ?? node.namedChild(0)
      return inner !== null && isFixed(inner)
    }
    case 'binary_expression': {
      const [left, right] = [node.childForFieldName('left'), node.childForFieldName('right')]
      const operator = node.childForFieldName('operator')?.text
      // `x || true` is true whatever x is.
      if (operator === '||' && right?.text === 'true') return true
      return left !== null && right !== null && isFixed(left) && isFixed(right)
    }
    case 'array':
    case 'object':
      return node.namedChildCount === 0
    default:
      return false
  }
}

export const isFixedCondition = isFixed
