import type { Rebuilt } from '../cli/wiring.ts'
import { createEventStore } from '../engine/event-store.ts'
import { migrate } from '../engine/migrate.ts'
import { openDatabase } from '../engine/postgres/database.ts'
import { rebuild } from '../engine/projection.ts'
import { databaseOf, ensureDataFolder } from './data-folder.ts'
import { migrations, projections } from './start-works.ts'

/** Audits every stream, then makes the read models again from the events. */
export async function rebuildReadModels({ data }: { readonly data: string }): Promise<Rebuilt> {
  await ensureDataFolder(data)
  const database = await openDatabase(databaseOf(data))
  try {
    await migrate(database, migrations)
    const store = createEventStore(database)
    const tampered: Rebuilt['tampered'][number][] = []
    const streams = await store.streams('')
    for (const stream of streams) {
      const audit = await store.audit(stream)
      if (audit.kind === 'tampered') tampered.push({ stream, version: audit.version, why: audit.why })
    }
    const events = await rebuild(database, projections)
    return { tasks: streams.filter((stream) => stream.startsWith('task/')).length, events, tampered }
  } finally {
    await database.close()
  }
}
