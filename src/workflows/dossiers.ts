import { z } from 'zod'
import { system } from '../domain/actor.ts'
import type { CommitSha } from '../domain/ids.ts'
import type { Json } from '../domain/json.ts'
import { objectSchemas } from '../domain/evidence.ts'
import { gateResultSchema } from '../domain/verdict.ts'
import type { EventStore } from '../ports/store.ts'

/** What stands behind a candidate until it lands: the sealed evidence, byte for byte, and the verdicts it says. */
const dossierSchema = z.strictObject({
  envelopes: z.array(z.strictObject({ gate: z.string(), digest: objectSchemas.digest, content: z.string() })),
  results: z.array(gateResultSchema),
  at: z.string(),
})
export type Dossier = z.infer<typeof dossierSchema>

export interface Dossiers {
  /** Kept once; keeping again changes nothing. */
  keep(candidate: CommitSha, dossier: Dossier): Promise<void>
  /** @throws Error when nothing was kept: a candidate without its evidence is a bug */
  find(candidate: CommitSha): Promise<Dossier>
}

const streamOf = (candidate: CommitSha): string => `dossier/${candidate}`

export const createDossiers = (store: EventStore): Dossiers => ({
  async keep(candidate, dossier) {
    const events = [dossier as unknown as Json]
    await store.append(streamOf(candidate), 0, { commandId: 'keep', actor: system('own'), events, at: dossier.at })
  },
  async find(candidate) {
    const [kept] = await store.read(streamOf(candidate))
    if (kept === undefined) throw new Error(`no evidence was kept for ${candidate}`)
    return dossierSchema.parse(kept.event)
  },
})
