import { posix } from 'node:path'
import { hasGrammar, withSyntax } from '../../codegraph/syntax.ts'
import { Fault } from '../../domain/fault.ts'
import type { TreeSha } from '../../domain/ids.ts'
import type { FileChange, FileMode, History } from '../../ports/repository.ts'
import type { Side } from './compare-tests.ts'
import { extractTests } from './extract-tests.ts'
import type { Text } from './other-languages.ts'
import type { TestFile } from './test-file.ts'

type Reader = Pick<History, 'readMany' | 'list'>

/**
 * Changed test files that have a grammar, as they are in one tree, with the files that they import.
 * @throws Fault report-unusable when they import more files than are read: what is not read could hide a weakening
 */
export async function readSide(history: Reader, tree: TreeSha, paths: readonly string[]): Promise<Side> {
  const files = await parseAll(history, tree, paths)
  const wanted = new Map(files.map((file) => [file.path, file.imports.flatMap((to) => resolveImport(file.path, to))]))
  const candidates = new Set([...wanted.values()].flat())
  const listed = candidates.size === 0 ? [] : await history.list(tree)
  const there = listed.map(({ path }) => path).filter((path) => candidates.has(path))
  if (there.length > mostHelpers) throw tooManyHelpers(there.length)
  const helpers = await parseAll(history, tree, there)
  const byPath = new Map([...helpers, ...files].map((file) => [file.path, file]))
  const imported = new Map(
    files.map(({ path }) => [
      path,
      (wanted.get(path) ?? []).flatMap((helper) => {
        const found = byPath.get(helper)
        return found === undefined || helper === path ? [] : [found]
      }),
    ]),
  )
  return { files, imported }
}

export const mostHelpers = 400

const tooManyHelpers = (count: number): Fault =>
  new Fault('report-unusable', `the changed tests import ${count} files, and at most ${mostHelpers} are compared`, {
    hint: 'change fewer tests at a time',
  })

async function parseAll(history: Reader, tree: TreeSha, paths: readonly string[]): Promise<readonly TestFile[]> {
  const texts = await history.readMany(tree, paths.filter(hasGrammar))
  const files: TestFile[] = []
  for (const [path, bytes] of texts) {
    const file = await withSyntax(path, decoder.decode(bytes), (root) => extractTests(path, root))
    if (file !== undefined) files.push(file)
  }
  return files
}

const decoder = new TextDecoder()

/** Where a relative import may lead; the ones that are not there are not found later. */
function resolveImport(from: string, to: string): readonly string[] {
  const plain = posix.normalize(posix.join(posix.dirname(from), to))
  if (plain.startsWith('../')) return []
  const bare = plain.replace(/\.[cm]?jsx?$/, '')
  const endings = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs']
  const named = endings.some((ending) => plain.endsWith(ending)) ? [plain] : []
  return [...named, ...endings.flatMap((ending) => [`${bare}${ending}`, `${bare}/index${ending}`])]
}

/** Changed test files that have no grammar, as text. */
export async function readTexts(
  history: Reader,
  trees: { readonly base: TreeSha; readonly tree: TreeSha },
  changes: readonly FileChange[],
): Promise<readonly Text[]> {
  const paths = changes.map(({ path }) => path).filter((path) => !hasGrammar(path))
  if (paths.length === 0) return []
  const [before, after] = await Promise.all([history.readMany(trees.base, paths), history.readMany(trees.tree, paths)])
  const text = (files: ReadonlyMap<string, Uint8Array>, path: string, mode: FileMode | undefined): string | null => {
    const bytes = mode?.startsWith('100') === true ? files.get(path) : undefined
    return bytes === undefined ? null : decoder.decode(bytes)
  }
  return changes
    .filter(({ path }) => !hasGrammar(path))
    .map((change) => ({
      path: change.path,
      before: text(before, change.path, change.before?.mode),
      after: text(after, change.path, change.after?.mode),
    }))
}
