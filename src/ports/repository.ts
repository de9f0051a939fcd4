import type { WorkspaceProblem } from '../domain/task/task.ts'
import type { CommitSha, TreeSha } from '../domain/ids.ts'

/**
 * What can be read of a repository with git alone. Every method may throw Fault git-failed, repository-locked or
 * disk-full; all are safe to repeat and change no ref and no file.
 */
export interface History {
  /** Value of a full ref name; undefined when there is none. For a Repository: on the hub, as of the last fetch or push. */
  head(ref: string): Promise<CommitSha | undefined>
  /** The commit that a revision means (`HEAD`, `main~2`, a short id); undefined when it means none. */
  resolve(revision: string): Promise<CommitSha | undefined>
  /** Commits of `to` along first parents that are not reachable from `from` (null: all), oldest first. */
  commits(
    from: CommitSha | null,
    to: CommitSha,
    /** A hint: commits that leave this path as it is in their first parent may be left out. */
    options?: { readonly touching: string },
  ): Promise<readonly CommitInfo[]>
  commitInfo(commit: CommitSha): Promise<CommitInfo>

  treeOf(commit: CommitSha): Promise<TreeSha>
  /** UTF-8 text of a file in a commit or tree; undefined when there is none, or it is not a regular file. */
  read(at: CommitSha | TreeSha, path: string): Promise<string | undefined>
  /** Bytes of several files in one go; missing ones are left out. */
  readMany(at: CommitSha | TreeSha, paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>
  /** Every file, symlink and submodule of a tree (below `under`, when given), in git's order. */
  list(at: CommitSha | TreeSha, under?: string): Promise<readonly TreeEntry[]>
  /** File by file, no rename detection. */
  changes(from: CommitSha | TreeSha, to: CommitSha | TreeSha): Promise<readonly FileChange[]>
  /** Unified diff as text, at most `maxBytes`, with a last line that says so when it was cut. */
  patch(
    from: CommitSha | TreeSha,
    to: CommitSha | TreeSha,
    options: { readonly maxBytes: number; readonly paths?: readonly string[] },
  ): Promise<string>
  isAncestor(ancestor: CommitSha, of: CommitSha): Promise<boolean>
  /** Three-way merge of two commits, in memory: leaves nothing behind in a repository that is only inspected. */
  merge(ours: CommitSha, theirs: CommitSha): Promise<Merge>
}

/**
 * One hub, and Gaffer's own bare object store beside it. Git never runs with an agent's `.git` folder, hooks or
 * configuration: the host reads workspaces as plain files, with its own git folder and index.
 * Every method may also throw Fault hub-unreachable; all are safe to repeat.
 */
export interface Repository extends History {
  /** As the caller named it: an absolute path or a URL. */
  readonly hub: string

  /** Brings the hub's branches and Gaffer's refs into the object store. */
  fetch(): Promise<void>
  /** The branch that the hub's HEAD is on; undefined when it is on none. */
  defaultBranch(): Promise<string | undefined>

  /**
   * Makes `folder` a workspace whose files are exactly those of `at`, whatever was there: a clone of its own for the
   * agent to look around in, sharing no object file with anything else. Ignored files (dependencies) stay when it was
   * a workspace already.
   */
  openWorkspace(folder: string, at: CommitSha): Promise<void>
  /**
   * The tree of a workspace's files as they are now (ignored files left out), computed by the host.
   * `problems` are things that cannot be part of a tree that lands: nested repositories, symlinks that leave the
   * workspace, files over the size limit, special files.
   */
  snapshot(folder: string, since: CommitSha): Promise<Snapshot>

  /** A tree like `from` (null: empty) with some files written (regular; mode kept, else 644) or removed (null). */
  edit(from: TreeSha | null, files: Readonly<Record<string, string | null>>): Promise<TreeSha>
  /** A commit object, the same for the same input. Nothing points at it yet. */
  commit(input: CommitInput): Promise<CommitSha>
  /** Writes the files of a tree into an empty or new folder, with no `.git`. */
  checkout(at: TreeSha, folder: string): Promise<void>

  /**
   * Moves refs on the hub, all or none, each only from the value it is expected to have (`from` null: must not exist).
   * A checked-out branch of a hub with a working tree moves only while that is clean, and its files move along.
   * Repeating a push that went through is `pushed`.
   */
  push(updates: readonly RefUpdate[]): Promise<Pushed>

  /** Lets go of what belongs to this object (running processes, handles). */
  close(): Promise<void>
}

export interface Repositories {
  /** @throws Fault not-a-repository, hub-unreachable */
  open(hub: string): Promise<Repository>
  /**
   * The repository that `folder` is in, read in place and with no copy; works in a bare one and inside a
   * `pre-receive` hook (objects in quarantine included).
   * @throws Fault not-a-repository
   */
  inspect(folder: string): Promise<History>
}

export interface CommitInfo {
  readonly sha: CommitSha
  readonly tree: TreeSha
  readonly parents: readonly CommitSha[]
  readonly message: string
  readonly author: Person & { readonly at: string }
  readonly committer: Person & { readonly at: string }
}

export interface TreeEntry {
  readonly path: string
  readonly mode: FileMode
  readonly sha: string
}
export type FileMode = '100644' | '100755' | '120000' | '160000'

export interface FileChange {
  readonly path: string
  readonly kind: 'added' | 'modified' | 'deleted'
  readonly before: { readonly mode: FileMode; readonly sha: string } | null
  readonly after: { readonly mode: FileMode; readonly sha: string } | null
}

export interface Snapshot {
  readonly tree: TreeSha
  readonly problems: readonly WorkspaceProblem[]
}
export type { WorkspaceProblem }

export interface Person {
  readonly name: string
  readonly email: string
}
export interface CommitInput {
  readonly tree: TreeSha
  readonly parents: readonly CommitSha[]
  readonly message: string
  readonly author: Person
  readonly committer: Person
  /** ISO 8601, in UTC; whole seconds count. */
  readonly at: string
}

export type Merge =
  | { readonly kind: 'clean'; readonly tree: TreeSha }
  | { readonly kind: 'conflict'; readonly paths: readonly string[] }

export interface RefUpdate {
  /** Full name, `refs/heads/main`. */
  readonly ref: string
  readonly from: CommitSha | null
  readonly to: CommitSha
}
export type Pushed =
  | { readonly kind: 'pushed' }
  /** Another value stands on the hub. */
  | { readonly kind: 'moved'; readonly ref: string; readonly actual: CommitSha | null }
  /** The branch is checked out with local edits; `todo` says how to land. */
  | { readonly kind: 'checked-out-dirty'; readonly folder: string; readonly todo: string }
  /** A hook or the server's rules said no; its words. */
  | { readonly kind: 'refused'; readonly message: string }
