import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { briefLimitBytes } from '../contract/delegate.ts'
import { usage } from './stop.ts'

/** The text of a brief's file, which may be anything that a person typed. @throws Stop usage */
export async function readBriefFile(cwd: string, path: string): Promise<string> {
  const cannot = (why: string): Error =>
    usage(
      `${path} cannot be read as a brief`,
      why,
      'name a Markdown file with front matter, as those in examples/briefs are',
    )
  const file = await open(resolve(cwd, path), 'r').catch((error: NodeJS.ErrnoException) => {
    throw cannot(error.code === 'ENOENT' ? 'there is no such file' : error.message)
  })
  try {
    const stats = await file.stat()
    const { size } = stats
    if (!stats.isFile()) throw cannot('it is not a file')
    if (size > briefLimitBytes) throw cannot(`it has ${size} bytes, and a brief has at most ${briefLimitBytes}`)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}
