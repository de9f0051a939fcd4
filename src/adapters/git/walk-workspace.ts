import { lstatSync, readdirSync, type Dirent } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'
import { isGitName } from './path-name.ts'

/** What git does not tell about the files of a workspace. Paths are latin1 text, one character a byte. */
export interface Walk {
  readonly links: readonly string[]
  /** Fifos, sockets, devices. */
  readonly special: readonly string[]
  /** Everything below the top that is called `.git`, or that some system takes for it. */
  readonly gitNames: readonly string[]
  readonly emptyFolders: readonly string[]
  /** Folders that cannot be read. */
  readonly closed: readonly string[]
  /** Whether any .gitattributes is there. */
  readonly hasAttributes: boolean
}

const foldersAtATime = 200

/**
 * Walks a workspace without following symlinks; ignored folders are left out, and so are `.git` folders. Reads
 * synchronously, some folders at a time: a tenth of what as many promises cost.
 */
export async function walkWorkspace(top: string, skip: ReadonlySet<string>): Promise<Walk> {
  const walk = {
    links: [] as string[],
    special: [] as string[],
    gitNames: [] as string[],
    emptyFolders: [] as string[],
    closed: [] as string[],
    hasAttributes: false,
  }
  const folders = ['']
  for (let done = 1; ; done += 1) {
    const folder = folders.pop()
    if (folder === undefined) return walk
    if (done % foldersAtATime === 0) await breathe()
    const entries = readFolder(top, folder)
    if (entries === undefined) {
      walk.closed.push(folder)
      continue
    }
    if (entries.length === 0 && folder !== '') walk.emptyFolders.push(folder)
    for (const entry of entries) {
      const path = folder === '' ? entry.name.toString('latin1') : `${folder}/${entry.name.toString('latin1')}`
      if (path === '.git' || skip.has(path)) continue
      if (isGitName(entry.name)) walk.gitNames.push(path)
      else if (entry.isDirectory()) folders.push(path)
      else if (entry.isSymbolicLink()) walk.links.push(path)
      else if (!entry.isFile()) walk.special.push(path)
      if (/(?:^|\/)\.gitattributes$/i.test(path)) walk.hasAttributes = true
    }
  }
}

/**
 * Whether a workspace holds these files and nothing else. Looks only as far as the first thing that is not one of
 * them, so a large folder of ignored files costs nothing.
 */
export async function holdsExactly(top: string, files: ReadonlySet<string>): Promise<boolean> {
  const known = new Set<string>(files)
  for (const path of files)
    for (let at = path.lastIndexOf('/'); at > 0 && !known.has(path.slice(0, at)); at = path.lastIndexOf('/', at - 1))
      known.add(path.slice(0, at))
  const folders = ['']
  for (let done = 1; ; done += 1) {
    const folder = folders.pop()
    if (folder === undefined) return true
    if (done % foldersAtATime === 0) await breathe()
    for (const entry of readFolder(top, folder) ?? [undefined]) {
      if (entry === undefined) return false
      const path = folder === '' ? entry.name.toString('latin1') : `${folder}/${entry.name.toString('latin1')}`
      if (path === '.git') continue
      if (!known.has(path)) return false
      if (entry.isDirectory()) folders.push(path)
      else if (!files.has(path) || !(entry.isFile() || entry.isSymbolicLink())) return false
    }
  }
}

/** undefined when it cannot be read; a folder that went away while we walked holds nothing. */
function readFolder(top: string, folder: string): Dirent<Buffer>[] | undefined {
  const place = bytesPath(top, folder)
  try {
    return readdirSync(place, { withFileTypes: true, encoding: 'buffer' })
  } catch {
    return lstatSync(place, { throwIfNoEntry: false })?.isDirectory() === true ? undefined : []
  }
}

/** The absolute path, as bytes, of a path in latin1 text. */
export const bytesPath = (top: string, path: string): Buffer =>
  path === '' ? Buffer.from(top) : Buffer.concat([Buffer.from(`${top}/`), Buffer.from(path, 'latin1')])
