import { z } from 'zod'

/** `GET /api/health`: open to everybody who reaches the port, so it says nothing about the work. */
export const healthSchema = z.object({ name: z.literal('gaffer'), version: z.string(), status: z.literal('serving') })
export type Health = z.infer<typeof healthSchema>

/** `POST /api/page-keys`: a link that opens the status page once. */
export const pageLinkSchema = z.object({ url: z.string() })
export type PageLink = z.infer<typeof pageLinkSchema>
