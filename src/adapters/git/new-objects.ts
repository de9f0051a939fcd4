import type { CommitSha } from '../../domain/ids.ts'
import { inBatches } from './in-batches.ts'
import type { ObjectCache } from './object-cache.ts'
import type { GitObject } from './object-reader.ts'

/**
 * The commits, trees and files of `later` that `earlier` lacks, along a line of single parents; undefined when that is
 * not how they are related, or when it is too much to hold in memory.
 */
export async function newObjects(
  objects: ObjectCache,
  earlier: string,
  later: CommitSha,
): Promise<readonly GitObject[] | undefined> {
  const wanted = new Set<string>()
  let commit = later
  for (let steps = 0; commit !== earlier; steps += 1) {
    const { tree, parents } = await objects.commit(commit)
    const [parent, other] = parents
    // A merge brings history from elsewhere.
    if (parent === undefined || other !== undefined || steps >= maxCommits) return undefined
    wanted.add(commit)
    await addNew(objects, await objects.treeOf(parent), tree, wanted)
    if (wanted.size > maxObjects) return undefined
    commit = parent
  }
  const found: GitObject[] = []
  let sizeBytes = 0
  for (const batch of inBatches([...wanted], 32)) {
    const read = await Promise.all(batch.map((sha) => objects.whole(sha)))
    found.push(...read)
    for (const { content } of read) sizeBytes += content.length
    if (sizeBytes > maxBytes) return undefined
  }
  return found
}

const maxCommits = 50
const maxObjects = 1_000
const maxBytes = 32 * 1024 * 1024

async function addNew(
  objects: ObjectCache,
  before: string | undefined,
  after: string,
  wanted: Set<string>,
): Promise<void> {
  if (before === after) return
  wanted.add(after)
  const old = new Map(
    before === undefined ? [] : (await objects.items(before)).map((item) => [item.name.toString('latin1'), item]),
  )
  for (const { name, mode, sha } of await objects.items(after)) {
    const was = old.get(name.toString('latin1'))
    if (was?.sha === sha || mode === '160000') continue
    if (mode === '40000') await addNew(objects, was?.mode === '40000' ? was.sha : undefined, sha, wanted)
    else wanted.add(sha)
  }
}
