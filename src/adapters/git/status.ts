import { splitBytes } from './path-name.ts'
import { git, type Place } from './run-git.ts'

/** How the files of a working tree differ from its index, and the index from HEAD. Paths are bytes. */
export interface Status {
  /** Whether the index holds anything else than HEAD. */
  readonly staged: boolean
  readonly changed: readonly ChangedFile[]
  /** Not ignored. A path that ends in a slash is a repository of its own. */
  readonly untracked: readonly Buffer[]
  /** Files, and whole folders (these end in a slash). */
  readonly ignored: readonly Buffer[]
}
export interface ChangedFile {
  readonly path: Buffer
  readonly isGone: boolean
  readonly indexMode: string
  readonly fileMode: string
  readonly indexSha: string
}

/** Never goes into a nested repository: git would run with that one's configuration. */
export async function readStatus(place: Place): Promise<Status> {
  const shape = ['--porcelain=v2', '-z', '--no-renames', '--no-ahead-behind']
  const wanted = ['--untracked-files=all', '--ignored=matching', '--ignore-submodules=dirty']
  return parseStatus(await git(place, ['status', ...shape, ...wanted]))
}

/** git-status(1), "Porcelain Format Version 2" with -z. */
export function parseStatus(output: Buffer): Status {
  const changed: ChangedFile[] = []
  const untracked: Buffer[] = []
  const ignored: Buffer[] = []
  let staged = false
  for (const record of splitBytes(output, 0)) {
    const kind = record.toString('latin1', 0, 2)
    if (kind === '? ') untracked.push(record.subarray(2))
    else if (kind === '! ') ignored.push(record.subarray(2))
    else if (kind === 'u ' || kind === '2 ') staged = true
    else if (kind === '1 ') {
      const { fields, rest } = leadingFields(record, 8)
      const [, states = '..', , , indexMode = '', fileMode = '', , indexSha = ''] = fields
      if (!states.startsWith('.')) staged = true
      if (!states.endsWith('.'))
        changed.push({ path: rest, isGone: states.endsWith('D'), indexMode, fileMode, indexSha })
    }
  }
  return { staged, changed, untracked, ignored }
}

/** The first `count` words of a record, and the rest, which may hold spaces. */
function leadingFields(record: Buffer, count: number): { readonly fields: readonly string[]; readonly rest: Buffer } {
  const fields: string[] = []
  let from = 0
  while (fields.length < count) {
    const end = record.indexOf(0x20, from)
    if (end === -1) return { fields, rest: record.subarray(from) }
    fields.push(record.toString('latin1', from, end))
    from = end + 1
  }
  return { fields, rest: record.subarray(from) }
}
