import type { Node } from '../../codegraph/syntax.ts'
import { isFixedCondition } from './assertion.ts'
import { stringOf, type Link } from './call-chain.ts'
import type { Mark } from './test-file.ts'

export const functionTypes = new Set(['arrow_function', 'function_expression', 'generator_function', 'function'])

/** A call that defines a test, or a group of them. */
export interface Definition {
  readonly kind: 'case' | 'group'
  readonly title: string
  readonly marks: readonly Mark[]
  readonly rows: number | null
  readonly run: Node | undefined
}

const roots: Readonly<Record<string, { readonly kind: 'case' | 'group'; readonly mark?: Mark }>> = {
  test: { kind: 'case' },
  it: { kind: 'case' },
  specify: { kind: 'case' },
  describe: { kind: 'group' },
  suite: { kind: 'group' },
  context: { kind: 'group' },
  xit: { kind: 'case', mark: 'skip' },
  xtest: { kind: 'case', mark: 'skip' },
  xspecify: { kind: 'case', mark: 'skip' },
  xdescribe: { kind: 'group', mark: 'skip' },
  xcontext: { kind: 'group', mark: 'skip' },
  fit: { kind: 'case', mark: 'only' },
  ftest: { kind: 'case', mark: 'only' },
  fdescribe: { kind: 'group', mark: 'only' },
  fcontext: { kind: 'group', mark: 'only' },
}
const modifiers: Readonly<Record<string, Mark | null>> = {
  skip: 'skip',
  ignore: 'skip',
  fixme: 'skip',
  todo: 'todo',
  only: 'only',
  fails: 'expected-to-fail',
  failing: 'expected-to-fail',
  fail: 'expected-to-fail',
  skipIf: 'conditional',
  runIf: 'conditional',
  each: null,
  for: null,
  concurrent: null,
  sequential: null,
  serial: null,
  parallel: null,
  shuffle: null,
  slow: null,
  cb: null,
}

/** A call that defines a test or a group of them; undefined when it does something else. */
export function definitionOf(links: readonly Link[]): Definition | undefined {
  const [root, ...rest] = links
  const last = links.at(-1)
  const title = last?.args?.[0]
  if (root === undefined || last?.args === null || last === undefined || title === undefined) return undefined
  const start = startOf(root.name, rest)
  if (start === undefined) return undefined
  const { kind, mark, more } = start
  if (more.some(({ name }) => name !== '' && !Object.hasOwn(modifiers, name))) return undefined
  const isTitle = [
    'string',
    'template_string',
    'identifier',
    'member_expression',
    'binary_expression',
    'call_expression',
  ].includes(title.type)
  const run = last.args.findLast(({ type }) => functionTypes.has(type))
  // `test.each(table)` alone, or `test.skip(condition, reason)` inside a test, define nothing.
  if ((!isTitle && run !== title) || (run === undefined && stringOf(title) === undefined)) return undefined
  if (last.name === 'each' || last.name === 'for' || last.name === 'skipIf' || last.name === 'runIf') return undefined
  const options = last.args.find(({ type }) => type === 'object')
  return {
    kind,
    title: stringOf(title) ?? (run === title ? 'unnamed' : title.text),
    marks: [
      ...(mark === undefined ? [] : [mark]),
      ...more.flatMap((link) => marksOfModifier(link)),
      ...(options === undefined ? [] : marksOfOptions(options)),
      ...(run === undefined && last.args.length === 1 && kind === 'case' ? (['todo'] as const) : []),
    ],
    rows: rowsOf(more),
    run,
  }
}

/** `Deno.test`, `t.test`, `test.describe` begin one name later than `test` does. */
function startOf(root: string, rest: readonly Link[]) {
  const own = Object.hasOwn(roots, root) ? roots[root] : undefined
  const [next, ...others] = rest
  const inner = next !== undefined && Object.hasOwn(roots, next.name) ? roots[next.name] : undefined
  if (inner !== undefined && (own !== undefined || /^(?:Deno|t|tc|ctx|context|test)$/.test(root)))
    return { ...inner, more: others }
  return own === undefined ? undefined : { ...own, more: rest }
}

function marksOfModifier({ name, args }: Link): readonly Mark[] {
  const mark = modifiers[name]
  if (mark === undefined || mark === null) return []
  const [condition] = args ?? []
  if (mark !== 'conditional' || condition === undefined) return [mark]
  if (!isFixedCondition(condition)) return ['conditional']
  const isTrue = !/^(?:false|0|null|undefined|''|"")$/.test(condition.text)
  return isTrue === (name === 'skipIf') ? ['skip'] : []
}

function marksOfOptions(options: Node): readonly Mark[] {
  return options.namedChildren.flatMap((pair): readonly Mark[] => {
    const key = pair.type === 'shorthand_property_identifier' ? pair.text : pair.childForFieldName('key')?.text
    const value = pair.childForFieldName('value')
    const name = key?.replace(/^['"]|['"]$/g, '') ?? ''
    const mark = ['skip', 'todo', 'only', 'fails', 'ignore'].includes(name) ? modifiers[name] : undefined
    if (mark === undefined || mark === null || /^(?:false|undefined|null)$/.test(value?.text ?? '')) return []
    return [value !== null && isFixedCondition(value) ? mark : 'conditional']
  })
}

function rowsOf(links: readonly Link[]): number | null {
  const table = links.find(({ name }) => name === 'each' || name === 'for')?.args?.[0]
  if (table?.type === 'array') return table.namedChildren.filter(({ type }) => type !== 'comment').length
  if (table?.type === 'template_string') return table.text.split('\n').filter((line) => line.includes('${')).length
  return null
}
