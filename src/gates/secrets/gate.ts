import picomatch from 'picomatch'
import { z } from 'zod'
import { digestOfJson } from '../../domain/json.ts'
import { notApplicable, passed, verdictOf, type Finding } from '../../domain/verdict.ts'
import type { TreeSha } from '../../domain/ids.ts'
import type { Gate } from '../../ports/gate.ts'
import type { History } from '../../ports/repository.ts'
import { bounded } from '../../reports/findings.ts'
import { parseOptions } from '../options.ts'
import { contentOf, limits, type Content } from './content.ts'
import { findSecrets, type Match } from './patterns.ts'
import { lintSecrets } from './secretlint.ts'

/** No secret comes in with a change. What the base holds already is no finding of this change. */
export const secrets: Gate = {
  name: 'secrets',
  version: 1,
  reads: ({ changes }) => [`changes ${digestOfJson(changes)}`],
  async run(judged) {
    const { except } = parseOptions(judged, { except: z.array(z.string().min(1)).default([]) })
    const isExcept = except.length === 0 ? () => false : picomatch(except, { dot: true })
    const { changes, repository, baseTree, tree, name } = judged
    const paths = changes
      .filter(({ path, after }) => after?.mode.startsWith('100') === true && !isExcept(path))
      .map(({ path }) => path)
    if (paths.length === 0) return notApplicable('no file was added or modified')

    const scan = await scanFiles(repository, tree, paths)
    const measures = {
      files: paths.length,
      binaryFiles: scan.filter(({ kind }) => kind === 'binary').length,
      hugeFiles: scan.filter(({ kind }) => kind === 'huge').length,
    }
    if (scan.every(({ kind, matches }) => kind !== 'too-large' && matches.length === 0)) return passed(measures)
    // A file that was moved brings nothing in, and neither does one that was mended elsewhere.
    const old = changes.filter(({ before }) => before?.mode.startsWith('100') === true).map(({ path }) => path)
    const known = new Set(
      (await scanFiles(repository, baseTree, old)).flatMap(({ matches }) => matches).map(({ secret }) => secret),
    )
    return verdictOf(bounded(scan.flatMap((file) => findingsIn(file, known, name))), measures)
  },
}

interface Scanned {
  readonly path: string
  readonly kind: Content['kind']
  readonly matches: readonly (Match & { readonly line: number })[]
}

async function scanFiles(
  history: Pick<History, 'readMany'>,
  at: TreeSha,
  paths: readonly string[],
): Promise<readonly Scanned[]> {
  const scanned: Scanned[] = []
  for (const batch of batches(paths)) {
    const files = await history.readMany(at, batch)
    for (const path of batch) {
      const bytes = files.get(path)
      if (bytes === undefined) throw new Error(`the tree has no ${path}, though the change says so`)
      scanned.push(await scanFile(path, contentOf(bytes)))
    }
  }
  return scanned
}

async function scanFile(path: string, content: Content): Promise<Scanned> {
  if (content.kind === 'too-large') return { path, kind: content.kind, matches: [] }
  const { kind, text } = content
  const matches = [...findSecrets(path, text), ...(kind === 'text' ? await lintSecrets(path, text) : [])]
  return { path, kind, matches: matches.map((match) => ({ ...match, line: lineAt(text, match.start) })) }
}

/** One finding a line: several rules often know the same secret. */
function findingsIn({ path, kind, matches }: Scanned, known: ReadonlySet<string>, gate: string): readonly Finding[] {
  if (kind === 'too-large') return [notScanned(path, gate)]
  const byLine = Map.groupBy(
    matches.filter(({ secret }) => !known.has(secret)),
    ({ line }) => line,
  )
  return Array.from(byLine, ([line, [first]]): Finding => ({
    gate,
    rule: first?.rule ?? 'secret',
    level: 'error',
    // Never the secret, nor a part of it: findings are kept, sent and shown.
    message: `this looks like ${first?.what ?? 'a secret'}`,
    place: { path, line: kind === 'binary' ? null : line },
    mend: 'take it out, read it from the environment or a secret store, and revoke it if it is real',
  }))
}

const notScanned = (path: string, gate: string): Finding => ({
  gate,
  rule: 'not-scanned',
  level: 'error',
  message: `the file is larger than ${limits.scanBytes / 1_000_000} MB, which is more than is looked through for secrets`,
  place: { path, line: null },
  mend: 'keep files of this size out of the repository, or name it under `except` of the gate',
})

const lineAt = (text: string, index: number): number => {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < index; at = text.indexOf('\n', at + 1)) line++
  return line
}

/** Not the whole change in memory at once. */
function batches(paths: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(paths.length / 50) }, (_, index) => paths.slice(index * 50, index * 50 + 50))
}
