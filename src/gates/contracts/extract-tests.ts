import type { Node } from '../../codegraph/syntax.ts'
import { assertionOf, isFixedCondition } from './assertion.ts'
import { chainOf, isInsideChain, stringOf, type Link } from './call-chain.ts'
import { definitionOf, functionTypes, type Definition } from './definition.ts'
import type { Body, Mark, TestCase, TestFile } from './test-file.ts'

/**
 * The test cases of a JavaScript or TypeScript file: vitest, jest, mocha, jasmine, node:test, ava, tap, Deno and
 * Playwright all write them as calls of a few names.
 */
export function extractTests(path: string, root: Node): TestFile {
  const file = { cases: [] as TestCase[], functions: new Map<string, Counting>(), imports: [] as string[] }
  const top = newBody()
  visit(root, {
    titles: [],
    marks: new Set(),
    body: top,
    owner: null,
    isMuted: false,
    isConditional: false,
    context: [],
  })
  file.functions.set('', top)
  return { path, ...file, isBroken: root.hasError }

  function visit(node: Node, at: At): void {
    switch (node.type) {
      case 'comment':
        return
      case 'import_statement':
      case 'export_statement': {
        const source = node.childForFieldName('source')
        const from = source === null ? undefined : stringOf(source)
        if (from?.startsWith('.') === true) file.imports.push(from)
        return visitAll(node.namedChildren, at)
      }
      case 'call_expression':
        return visitCall(node, at)
      case 'statement_block':
      case 'program':
        return visitStatements(node.namedChildren, at)
      case 'if_statement':
        return visitIf(node, at)
      case 'ternary_expression':
        return visitAll(node.namedChildren, { ...at, isConditional: true })
      case 'try_statement':
        return visitTry(node, at)
      case 'function_declaration':
      case 'generator_function_declaration':
      case 'method_definition':
        return visitFunction(node.childForFieldName('name')?.text ?? '', node, at)
      case 'variable_declarator': {
        const value = node.childForFieldName('value')
        const isFunction = value !== null && functionTypes.has(value.type)
        return isFunction
          ? visitFunction(node.childForFieldName('name')?.text ?? '', value, at)
          : visitAll(node.namedChildren, at)
      }
      default:
        return visitAll(node.namedChildren, at)
    }
  }

  function visitAll(nodes: readonly Node[], at: At): void {
    for (const node of nodes) visit(node, at)
  }

  /** What follows a return is never reached. */
  function visitStatements(nodes: readonly Node[], at: At): void {
    let isReached = true
    for (const node of nodes) {
      visit(node, isReached ? at : { ...at, isMuted: true })
      if (node.type === 'return_statement' || node.type === 'throw_statement' || isExit(node)) isReached = false
    }
  }

  function visitIf(node: Node, at: At): void {
    const condition = node.childForFieldName('condition')
    const fixed =
      condition !== null &&
      isFixedCondition(condition) &&
      /^\(\s*(?:false|0|null|undefined|''|"")\s*\)$/.test(condition.text)
    if (condition !== null) visit(condition, at)
    const [then, otherwise] = [node.childForFieldName('consequence'), node.childForFieldName('alternative')]
    if (then !== null) visit(then, { ...at, isConditional: true, isMuted: at.isMuted || fixed })
    if (otherwise !== null) visit(otherwise, { ...at, isConditional: true })
  }

  function visitTry(node: Node, at: At): void {
    const [body, handler, last] = ['body', 'handler', 'finalizer'].map((field) => node.childForFieldName(field))
    const swallows = handler !== null && handler !== undefined && !speaksUp(handler)
    if (body) visit(body, { ...at, isMuted: at.isMuted || swallows })
    if (handler) visit(handler, at)
    if (last) visit(last, at)
  }

  function visitFunction(name: string, node: Node, at: At): void {
    const inner = node.childForFieldName('body')
    if (inner === null) return
    // Within a case it is a part of that case.
    visit(inner, at.owner === null ? { ...at, body: fresh(name, inner), isMuted: false, isConditional: false } : at)
  }

  /** Two functions of one name count as one: which of them is called cannot be told. */
  function fresh(name: string, inner: Node): Counting {
    const body = file.functions.get(name) ?? newBody()
    body.words.push(...wordsOf(inner))
    file.functions.set(name, body)
    return body
  }

  function visitCall(node: Node, at: At): void {
    const links = chainOf(node)
    const defined = isInsideChain(node) ? undefined : definitionOf(links)
    if (defined !== undefined) return visitDefinition(node, defined, at)

    if (!isInsideChain(node)) {
      const mark = at.owner === null ? undefined : runtimeMark(links, at.context)
      if (mark !== undefined) at.marks.add(at.isConditional || hasCondition(links) ? 'conditional' : mark)
      const assertion = assertionOf(links)
      if (assertion !== undefined) count(at.body, assertion, at.isMuted || isSilenced(links))
      const [only] = links
      if (only !== undefined && links.length === 1 && !at.isMuted) at.body.calls.push(only.name)
    }
    visitAll(node.namedChildren, at)
  }

  function visitDefinition(node: Node, defined: Definition, at: At): void {
    const marks = new Set([...at.marks, ...defined.marks])
    const titles = [...at.titles, defined.title]
    const inner = defined.run?.childForFieldName('body') ?? null
    if (defined.kind === 'group') {
      if (inner !== null) visit(inner, { ...at, titles, marks, body: at.body })
      return
    }
    const body = newBody()
    if (inner !== null) {
      body.words.push(...wordsOf(inner))
      const context = parametersOf(defined.run)
      visit(inner, { titles, marks, body, owner: defined.title, isMuted: false, isConditional: false, context })
    }
    const line = node.startPosition.row + 1
    file.cases.push({ name: defined.title, title: titles.join(' > '), line, marks, rows: defined.rows, body })
  }
}

interface At {
  readonly titles: readonly string[]
  readonly marks: Set<Mark>
  readonly body: Counting
  /** The test case around, if there is one. */
  readonly owner: string | null
  readonly isMuted: boolean
  readonly isConditional: boolean
  /** Names of the parameters of the case: its context. */
  readonly context: readonly string[]
}
type Counting = { -readonly [Field in keyof Body]: Body[Field] extends readonly string[] ? string[] : Body[Field] }
const newBody = (): Counting => ({ real: 0, weak: 0, trivial: 0, muted: 0, calls: [], words: [] })

function count(
  body: Counting,
  assertion: { readonly kind: 'real' | 'weak' | 'trivial'; readonly count: number },
  isMuted: boolean,
): void {
  if (isMuted && assertion.kind !== 'trivial') body.muted += assertion.count
  else body[assertion.kind] += assertion.count
}

/** `t.skip()`, `this.skip()`, `test.skip(condition)` within a test. */
function runtimeMark(links: readonly Link[], context: readonly string[]): Mark | undefined {
  const [root, last] = [links[0]?.name ?? '', links.at(-1)]
  if (last === undefined || last.args === null || links.length > 2) return undefined
  const isContext = ['this', 't', 'ctx', 'context', 'test', 'it', ...context].includes(root)
  if (links.length === 1 ? !context.includes(root) : !isContext) return undefined
  return last.name === 'skip' || last.name === 'fixme' ? 'skip' : last.name === 'todo' ? 'todo' : undefined
}

/** `test.skip(isWindows, 'why')` skips only where that holds. */
const hasCondition = (links: readonly Link[]): boolean => {
  const first = links.at(-1)?.args?.[0]
  return first !== undefined && stringOf(first) === undefined && !isFixedCondition(first)
}

/** Names in the parameters of a function, those taken out of an object included. */
function parametersOf(run: Node | undefined): readonly string[] {
  const parameters = run?.childForFieldName('parameters') ?? run?.childForFieldName('parameter')
  return parameters?.text.match(/[A-Za-z_$][\w$]*/g) ?? []
}

/** `.catch(() => {})` after an assertion. */
const isSilenced = (links: readonly Link[]): boolean =>
  links.some(({ name, args }) => {
    const body = name === 'catch' ? args?.[0]?.childForFieldName('body') : undefined
    return body !== undefined && body !== null && !speaksUp(body)
  })

/** Whether a handler lets a failure be known: it throws, fails, asserts, or hands the error on. */
function speaksUp(handler: Node): boolean {
  if (handler.descendantsOfType('throw_statement').length > 0) return true
  return handler
    .descendantsOfType('call_expression')
    .some(
      (call) =>
        call !== null &&
        (assertionOf(chainOf(call)) !== undefined ||
          /^(?:fail|done|reject|next)$/.test(chainOf(call).at(-1)?.name ?? '')),
    )
}

const isExit = (statement: Node): boolean => statement.text.startsWith('process.exit(')

/** Identifiers, strings and numbers of a body: what it is about, without layout and comments. */
const wordsOf = (node: Node): readonly string[] =>
  node
    .descendantsOfType(['identifier', 'property_identifier', 'string_fragment', 'number', 'true', 'false'])
    .flatMap((word) => (word === null ? [] : [word.text]))
    .slice(0, 5_000)
