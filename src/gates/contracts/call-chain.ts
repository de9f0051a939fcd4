import type { Node } from '../../codegraph/syntax.ts'

/** One name of a chain of members and calls; `args` when it is called there. */
export interface Link {
  readonly name: string
  readonly args: readonly Node[] | null
}

/**
 * The names of a call from its root on: `expect(a).not.toBe(b)` is expect(a), not, toBe(b). Empty when the root is no
 * name (a literal, a bracket).
 */
export function chainOf(call: Node): readonly Link[] {
  const links: Link[] = []
  let node: Node | null = call
  let args: readonly Node[] | null = null
  while (node !== null) {
    switch (node.type) {
      case 'call_expression':
        // A call of what a call gave: `test.each(table)('name', …)`. It is a link with no name.
        if (args !== null) links.unshift({ name: '', args })
        args = argumentsOf(node)
        node = node.childForFieldName('function')
        break
      case 'member_expression':
        links.unshift({ name: node.childForFieldName('property')?.text ?? '', args })
        args = null
        node = node.childForFieldName('object')
        break
      case 'subscript_expression': {
        const index: Node | null = node.childForFieldName('index')
        links.unshift({ name: index === null ? '' : (stringOf(index) ?? ''), args })
        args = null
        node = node.childForFieldName('object')
        break
      }
      case 'await_expression':
      case 'parenthesized_expression':
      case 'non_null_expression':
      case 'as_expression':
      case 'satisfies_expression':
        node = node.namedChild(0)
        break
      case 'new_expression':
        node = node.childForFieldName('constructor')
        break
      case 'identifier':
      case 'this':
        links.unshift({ name: node.text, args })
        return links
      default:
        return links
    }
  }
  return links
}

/** Whether another call of the same chain stands around this one: `expect(a)` in `expect(a).toBe(b)`. */
export function isInsideChain(call: Node): boolean {
  const outer = call.parent
  if (outer === null) return false
  if (outer.type === 'member_expression' || outer.type === 'subscript_expression')
    return outer.childForFieldName('object')?.equals(call) === true && isInsideChain(outer)
  if (outer.type === 'call_expression') return outer.childForFieldName('function')?.equals(call) === true
  if (['parenthesized_expression', 'non_null_expression', 'await_expression'].includes(outer.type))
    return isInsideChain(outer)
  return false
}

function argumentsOf(call: Node): readonly Node[] {
  const list = call.childForFieldName('arguments')
  if (list === null) return []
  return list.type === 'template_string' ? [list] : list.namedChildren.filter((node) => node.type !== 'comment')
}

/** The text of a string literal; undefined when it is none, or is put together at run time. */
export function stringOf(node: Node): string | undefined {
  if (node.type !== 'string' && node.type !== 'template_string') return undefined
  return node.text.slice(1, -1)
}
