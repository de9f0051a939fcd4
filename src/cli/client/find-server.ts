import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serverFileName, serverFileSchema } from '../../contract/server-file.ts'
import { Fault } from '../../domain/fault.ts'

export interface Server {
  readonly url: string
  readonly token: string
}

/**
 * Where the server of a data folder is, and the token that it takes.
 * @throws Fault server-unreachable
 */
export async function findServer(data: string): Promise<Server> {
  const text = await readFile(join(data, serverFileName), 'utf8').catch(() => undefined)
  if (text === undefined) throw unreachable(`no Gaffer is running on ${data}`)
  const parsed = serverFileSchema.safeParse(jsonOf(text))
  if (!parsed.success) throw unreachable(`${join(data, serverFileName)} cannot be read`)
  const token = await readFile(parsed.data.tokenFile, 'utf8').catch((error: unknown) => {
    throw unreachable(`${parsed.data.tokenFile} cannot be read`, error)
  })
  return { url: parsed.data.url, token: token.trim() }
}

export const unreachable = (what: string, cause?: unknown): Fault =>
  new Fault('server-unreachable', what, {
    hint: 'start it with `gaffer up`, or name its data folder with `--data DIR`',
    retryable: true,
    cause,
  })

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
