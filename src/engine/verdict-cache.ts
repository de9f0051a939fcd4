import { sql } from 'kysely'
import { canonicalJson } from '../domain/json.ts'
import { verdictSchema } from '../domain/verdict.ts'
import type { VerdictCache } from '../ports/gate.ts'
import type { Database } from './postgres/database.ts'

/** Methods throw Fault database-unavailable, database-corrupted, disk-full; all are safe to repeat. */
export function createVerdictCache(database: Database): VerdictCache {
  return {
    get: (key) =>
      database.patiently(async (queries) => {
        const { rows } = await sql<{ verdict: string }>`
          select verdict from gaffer.verdicts where key = ${key}`.execute(queries)
        const row = rows[0]
        if (row === undefined) return undefined
        // A verdict that an older Gaffer spelled in its own way is no verdict: the gate runs again.
        const parsed = verdictSchema.safeParse(JSON.parse(row.verdict))
        return parsed.success ? parsed.data : undefined
      }),

    async put(key, verdict) {
      if (verdict.kind === 'unavailable') return
      await database.patiently((queries) =>
        sql`insert into gaffer.verdicts (key, verdict) values (${key}, ${canonicalJson(verdict)})
          on conflict (key) do update set verdict = excluded.verdict, created_at = now()`.execute(queries),
      )
    },
  }
}
