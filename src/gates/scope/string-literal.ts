import type { Node } from '../../codegraph/syntax.ts'

/** The text of a string literal; undefined when it is put together at run time. */
export const stringLiteral = (node: Node): string | undefined =>
  node.type === 'string' || (node.type === 'template_string' && !node.text.includes('${'))
    ? node.text.slice(1, -1)
    : undefined
