import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { dirname, isAbsolute, join, normalize, relative } from 'node:path'
import { z } from 'zod'
import { Fault, type FaultRecord } from '../domain/fault.ts'

/** A report that a command was to leave: what it says, or why nobody can know. */
export type Report<Content> =
  | { readonly kind: 'read'; readonly content: Content }
  | { readonly kind: 'absent'; readonly cause: FaultRecord }
  | { readonly kind: 'unusable'; readonly cause: FaultRecord }

/** A report's path as gaffer.yaml declares it: relative to `$GAFFER_REPORTS`, and staying below it. */
export const reportPathSchema = z
  .string()
  .min(1)
  .refine((path) => !isAbsolute(path) && !normalize(path).startsWith('..'), 'must be a path below $GAFFER_REPORTS')

const limitBytes = 64 * 1024 * 1024
/** File systems and clocks differ by less than this. */
const slackMs = 2_000

/**
 * Reads a report that a command left after `startedAt` (milliseconds of the epoch). The folder may have been written
 * by hostile code: symlinks are not followed, pipes and devices not waited for. A report that says nothing is never
 * read as one that says "nothing wrong".
 */
export async function readReport(input: {
  readonly folder: string
  readonly path: string
  readonly startedAt: number
}): Promise<Report<string>> {
  const { folder, path, startedAt } = input
  const file = join(folder, path)
  const parent = await realpath(dirname(file)).catch(() => undefined)
  if (parent === undefined) return absent(path, 'was not written')
  if (relative(await realpath(folder), parent).startsWith('..')) return unusable(path, 'is behind a symlink')

  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(join(parent, file.slice(dirname(file).length + 1)), flags).catch((error: unknown) => error)
  if (!isHandle(handle))
    return hasCode(handle, 'ENOENT')
      ? absent(path, 'was not written')
      : unusable(path, hasCode(handle, 'ELOOP') ? 'is a symlink' : 'cannot be opened')
  try {
    const about = await handle.stat()
    if (!about.isFile()) return unusable(path, 'is not a file')
    if (about.size === 0) return absent(path, 'is empty')
    if (about.size > limitBytes) return unusable(path, `is larger than ${limitBytes / 1024 / 1024} MB`)
    if (about.mtimeMs < startedAt - slackMs) return unusable(path, 'is older than the run')
    return { kind: 'read', content: (await handle.readFile('utf8')).replace(/^\uFEFF/, '') }
  } finally {
    await handle.close()
  }
}

const isHandle = (value: unknown): value is Awaited<ReturnType<typeof open>> =>
  typeof value === 'object' && value !== null && 'stat' in value
const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code

const record = (path: string, what: string): FaultRecord =>
  new Fault('report-unusable', `the report ${path} ${what}`, {
    hint: `make the command write it to $GAFFER_REPORTS/${path}, whole and anew in every run`,
  }).toJSON()
const absent = (path: string, what: string): Report<never> => ({ kind: 'absent', cause: record(path, what) })
export const unusable = (path: string, what: string): Report<never> => ({ kind: 'unusable', cause: record(path, what) })
