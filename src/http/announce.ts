import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { serverFileName, serverFileSchema, tokenFileName, type ServerFile } from '../contract/server-file.ts'

/** The token of a data folder: made once, readable by its owner only. Safe to repeat. */
export async function openToken(data: string): Promise<{ readonly token: string; readonly tokenFile: string }> {
  await mkdir(data, { recursive: true, mode: 0o700 })
  const tokenFile = join(resolve(data), tokenFileName)
  const kept = await readFile(tokenFile, 'utf8').catch(() => '')
  if (/^[\w-]{43}$/.test(kept.trim())) return { token: kept.trim(), tokenFile }
  const token = randomBytes(32).toString('base64url')
  await writePrivate(tokenFile, `${token}\n`)
  return { token, tokenFile }
}

/** Says where the server is, for the command line. Safe to repeat. */
export const announce = (data: string, file: ServerFile): Promise<void> =>
  writePrivate(join(data, serverFileName), `${JSON.stringify(serverFileSchema.parse(file), null, 2)}\n`)

/** Takes it back, when it is still about this process. Safe to repeat. */
export async function withdraw(data: string, pid: number): Promise<void> {
  const path = join(data, serverFileName)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text !== undefined && serverFileSchema.safeParse(parse(text)).data?.pid === pid) await rm(path, { force: true })
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whole or not at all, and never readable by others on the way. */
async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}
