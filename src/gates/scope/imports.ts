import { isBuiltin } from 'node:module'
import { stringLiteral } from './string-literal.ts'
import type { Node } from '../../codegraph/syntax.ts'

/** A package that a source file names in an import, an export or a require, with its line. */
export interface Import {
  readonly name: string
  readonly line: number
}

/** Packages that a file of JavaScript or TypeScript imports: no relative paths, no parts of Node, no `#internal` ones. */
export function importedPackages(root: Node): readonly Import[] {
  const statements = root
    .descendantsOfType(['import_statement', 'export_statement', 'import_require_clause'])
    .map((node) => node?.childForFieldName('source') ?? null)
  const calls = root.descendantsOfType('call_expression').map((call) => {
    const called = call?.childForFieldName('function')
    const isImport =
      called?.type === 'import' ||
      /^(?:require|require\.resolve|import\.meta\.resolve|createRequire\(.*\))$/.test(called?.text ?? '')
    return isImport ? (call?.childForFieldName('arguments')?.namedChild(0) ?? null) : null
  })
  return [...statements, ...calls].flatMap((node) => {
    const name = node === null ? undefined : packageOf(stringLiteral(node) ?? '')
    return node === null || name === undefined ? [] : [{ name, line: node.startPosition.row + 1 }]
  })
}

/** The package of a module specifier; undefined when it names none. */
export function packageOf(specifier: string): string | undefined {
  const name = /^(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*(?=$|\/)/i.exec(specifier)?.[0]
  return name === undefined || isBuiltin(specifier) || isBuiltin(name) ? undefined : name
}
