import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { Language, Parser, type Node, type Tree } from 'web-tree-sitter'

export type { Node } from 'web-tree-sitter'

/** Grammars in use, by the extensions of their files. */
const grammars: Readonly<Record<string, string>> = {
  '.js': 'javascript',
  '.jsx': 'javascript',
  '.mjs': 'javascript',
  '.cjs': 'javascript',
  '.ts': 'typescript',
  '.mts': 'typescript',
  '.cts': 'typescript',
  '.tsx': 'tsx',
}

const require = createRequire(import.meta.url)
let ready: Promise<void> | undefined
const languages = new Map<string, Promise<Language>>()

/** Whether there is a grammar for files of this name. */
export const hasGrammar = (path: string): boolean => grammars[extname(path).toLowerCase()] !== undefined

/**
 * Parses a source text and hands its root to `read`, whose answer is the answer; the tree is freed afterwards, so no
 * node may leave. Parsing never fails: what cannot be understood is an ERROR node. undefined when there is no grammar.
 */
export async function withSyntax<Answer>(
  path: string,
  text: string,
  read: (root: Node) => Answer,
): Promise<Answer | undefined> {
  const grammar = grammars[extname(path).toLowerCase()]
  if (grammar === undefined) return undefined
  const language = await load(grammar)
  const parser = new Parser()
  let tree: Tree | null = null
  try {
    parser.setLanguage(language)
    tree = parser.parse(text)
    return tree === null ? undefined : read(tree.rootNode)
  } finally {
    tree?.delete()
    parser.delete()
  }
}

function load(grammar: string): Promise<Language> {
  ready ??= Parser.init()
  const loading =
    languages.get(grammar) ??
    ready.then(() => Language.load(require.resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${grammar}.wasm`)))
  languages.set(grammar, loading)
  return loading
}
