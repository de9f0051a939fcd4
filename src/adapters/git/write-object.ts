import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { Fault } from '../../domain/fault.ts'
import { hashObject, type ObjectFormat, type ObjectKind } from './objects.ts'
import { diskFull } from './run-git.ts'

const compress = promisify(deflate)

/**
 * Writes one loose object the way git does (a temporary file, then a rename) and gives its id. A tenth of what a
 * process costs. Safe to repeat and to do from several processes at once: equal ids are equal bytes.
 * @throws Fault disk-full, git-failed
 */
export async function writeObject(input: {
  readonly objectFolder: string
  readonly format: ObjectFormat
  readonly kind: ObjectKind
  readonly content: Uint8Array
}): Promise<string> {
  const { objectFolder, format, kind, content } = input
  const sha = hashObject(format, kind, content)
  const target = join(objectFolder, sha.slice(0, 2), sha.slice(2))
  if (await isWritten(target)) return sha

  const bytes = await compress(Buffer.concat([Buffer.from(`${kind} ${content.length}\0`), content]), { level: 1 })
  const temporary = join(dirname(target), `tmp_obj_${randomBytes(8).toString('hex')}`)
  try {
    await mkdir(dirname(target), { recursive: true })
    await writeFile(temporary, bytes, { flag: 'wx', mode: 0o444 })
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw writingFault(error, objectFolder)
  }
  return sha
}

/** An empty file is what a power cut leaves of an object: it is written again. */
const isWritten = (path: string): Promise<boolean> =>
  stat(path).then(
    ({ size }) => size > 0,
    () => false,
  )

/** The fault of a failed file operation in a folder of ours. */
export function writingFault(error: unknown, folder: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return diskFull(folder, error)
  return new Fault('git-failed', `${folder} cannot be written: ${error.message}`, {
    hint: 'check who owns that folder and whether its disk is mounted read-only',
    cause: error,
  })
}

/** What the file system refuses is a fault of its disk or folder; faults and bugs pass as they are. */
export const classified = <T>(folder: string, work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw error instanceof Fault ? error : writingFault(error, folder)
  })
