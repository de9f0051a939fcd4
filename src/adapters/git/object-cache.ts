import { Fault } from '../../domain/fault.ts'
import { commitSha, treeSha, type CommitSha, type TreeSha } from '../../domain/ids.ts'
import type { CommitInfo } from '../../ports/repository.ts'
import type { GitObject, ObjectReader } from './object-reader.ts'
import { damaged, formatOf, parseCommit, parseTree, type TreeItem } from './objects.ts'

/** Trees and commits, parsed. Objects never change, so they are kept: the most recent ones, bounded by their items. */
export class ObjectCache {
  readonly #reader: ObjectReader
  readonly #kept = new Map<string, Promise<Parsed>>()
  #items = 0

  constructor(reader: ObjectReader) {
    this.#reader = reader
  }

  /** The tree of a commit, or the tree itself. */
  async treeOf(at: CommitSha | TreeSha): Promise<TreeSha> {
    const parsed = await this.#parsed(at)
    return parsed.kind === 'commit' ? parsed.commit.tree : treeSha(at)
  }

  async items(tree: string): Promise<readonly TreeItem[]> {
    const parsed = await this.#parsed(tree)
    if (parsed.kind !== 'tree') throw noSuch('tree', tree)
    return parsed.items
  }

  async commit(sha: CommitSha): Promise<CommitInfo> {
    const parsed = await this.#parsed(sha)
    if (parsed.kind !== 'commit') throw noSuch('commit', sha)
    return parsed.commit
  }

  async blob(sha: string): Promise<Buffer> {
    const found = await this.#reader.read(sha)
    if (found?.kind !== 'blob') throw noSuch('file', sha)
    return found.content
  }

  /** Any object, as it is. */
  async whole(sha: string): Promise<GitObject> {
    const found = await this.#reader.read(sha)
    if (found === undefined) throw noSuch('object', sha)
    return found
  }

  #parsed(sha: string): Promise<Parsed> {
    const kept = this.#kept.get(sha)
    if (kept !== undefined) {
      this.#kept.delete(sha)
      this.#kept.set(sha, kept)
      return kept
    }
    const parsing = this.#parse(sha)
    this.#kept.set(sha, parsing)
    parsing.then(
      (parsed) => this.#count(parsed),
      () => this.#kept.delete(sha),
    )
    return parsing
  }

  async #parse(sha: string): Promise<Parsed> {
    const found = await this.#reader.read(sha)
    if (found?.kind === 'commit') return { kind: 'commit', commit: parseCommit(commitSha(sha), found.content) }
    if (found?.kind === 'tree') return { kind: 'tree', items: parseTree(found.content, formatOf(sha)) }
    if (sha === emptyTree(sha)) return { kind: 'tree', items: [] }
    throw found === undefined ? noSuch('object', sha) : damaged(`the tree or commit ${sha}`)
  }

  #count(parsed: Parsed): void {
    this.#items += sizeOf(parsed)
    if (this.#items <= maxItems && this.#kept.size <= maxObjects) return
    // Rare and simple: everything goes, the next questions fill it again.
    this.#kept.clear()
    this.#items = 0
  }
}

type Parsed =
  | { readonly kind: 'tree'; readonly items: readonly TreeItem[] }
  | { readonly kind: 'commit'; readonly commit: CommitInfo }

const maxItems = 400_000
const maxObjects = 20_000
const sizeOf = (parsed: Parsed): number => (parsed.kind === 'tree' ? parsed.items.length : 10)

/** The tree with nothing in it, which git knows without having it. */
export const emptyTree = (like: string): TreeSha =>
  treeSha(
    formatOf(like) === 'sha256'
      ? '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321'
      : '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
  )

const noSuch = (what: string, sha: string): Fault =>
  new Fault('git-failed', `there is no ${what} ${sha} in the repository`, {
    hint: 'fetch the hub again; when it is still missing there, it was removed from the hub',
  })
