import { createHash } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'
import type { GitObject } from './object-reader.ts'
import type { ObjectFormat, ObjectKind } from './objects.ts'

/** Bytes of a pack and of its index, version 2 each, with no deltas. https://git-scm.com/docs/gitformat-pack */
export function formatPack(
  objects: readonly GitObject[],
  format: ObjectFormat,
): { readonly name: string; readonly pack: Buffer; readonly index: Buffer } {
  const parts: Buffer[] = [Buffer.concat([Buffer.from('PACK'), u32(2), u32(objects.length)])]
  let offset = 12
  const entries = objects.map(({ sha, kind, content }) => {
    const bytes = Buffer.concat([entryHeader(kind, content.length), deflateSync(content, { level: 1 })])
    const entry = { id: Buffer.from(sha, 'hex'), crc: crc32(bytes), offset }
    parts.push(bytes)
    offset += bytes.length
    return entry
  })
  const body = Buffer.concat(parts)
  const checksum = createHash(format).update(body).digest()

  const sorted = entries.toSorted((a, b) => Buffer.compare(a.id, b.id))
  const fanout = Array.from({ length: 256 }, (_, first) => u32(sorted.filter(({ id }) => (id[0] ?? 0) <= first).length))
  const table = Buffer.concat([
    Buffer.of(0xff, 0x74, 0x4f, 0x63),
    u32(2),
    ...fanout,
    ...sorted.map(({ id }) => id),
    ...sorted.map(({ crc }) => u32(crc)),
    ...sorted.map((entry) => u32(entry.offset)),
    checksum,
  ])
  return {
    name: `pack-${checksum.toString('hex')}`,
    pack: Buffer.concat([body, checksum]),
    index: Buffer.concat([table, createHash(format).update(table).digest()]),
  }
}

const kinds: Readonly<Record<ObjectKind, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 }

/** Three bits of kind and the size, four bits first and then seven a byte, the least first. */
function entryHeader(kind: ObjectKind, size: number): Buffer {
  const bytes = [(kinds[kind] << 4) | (size & 0x0f)]
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80
    bytes.push(rest & 0x7f)
  }
  return Buffer.from(bytes)
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
