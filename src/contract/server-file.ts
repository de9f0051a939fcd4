import { z } from 'zod'

/** `<data>/server.json`, readable by its owner only: where the running server of a data folder is found. */
export const serverFileSchema = z.object({
  url: z.string().regex(/^http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost):\d+$/, 'is not a loopback address'),
  pid: z.number().int().positive(),
  /** Absolute path of the file that holds the bearer token. */
  tokenFile: z.string().min(1),
})
export type ServerFile = z.infer<typeof serverFileSchema>

export const serverFileName = 'server.json'
export const tokenFileName = 'token'
