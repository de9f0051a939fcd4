import { type Kysely, sql } from 'kysely'
import type { TaskId } from '../../domain/ids.ts'
import type { TaskState } from '../../domain/task/task.ts'
import type { TaskPage, TaskQuery, TaskRow } from '../gaffer.ts'

type Queries = Kysely<unknown>
type Row = TaskRow & { readonly position: number }

const columns = sql.raw(
  `id, title, state, owner, agent, units_done as "unitsDone", units_total as "unitsTotal", waits_for as "waitsFor",
   opened_at as "openedAt", changed_at as "changedAt", position`,
)

/** One page of tasks, the last changed first. The cursor is the position of the last row. */
export async function readTasks(queries: Queries, { state, after, limit }: TaskQuery): Promise<TaskPage> {
  const before = after === null || !/^\d{1,15}$/.test(after) ? Number.MAX_SAFE_INTEGER : Number(after)
  const inState = state === null ? sql`true` : sql`state = ${state}`
  const { rows } = await sql<Row>`
    select ${columns} from gaffer.tasks
    where position < ${before} and ${inState} order by position desc limit ${limit + 1}`.execute(queries)
  const page = rows.slice(0, limit)
  const next = rows.length > limit ? String(page.at(-1)?.position) : null
  return { rows: page.map(({ position: _, ...row }) => row), next, counts: await countTasks(queries) }
}

export async function readTask(queries: Queries, id: TaskId): Promise<TaskRow | undefined> {
  const { rows } = await sql<Row>`select ${columns} from gaffer.tasks where id = ${id}`.execute(queries)
  const [found] = rows
  if (found === undefined) return undefined
  const { position: _, ...row } = found
  return row
}

async function countTasks(queries: Queries): Promise<Record<TaskState, number>> {
  const { rows } = await sql<{
    state: TaskState
    number: number
  }>`select state, number from gaffer.task_counts`.execute(queries)
  const none = {
    drafted: 0,
    planned: 0,
    building: 0,
    reviewing: 0,
    signed: 0,
    landing: 0,
    landed: 0,
    blocked: 0,
    abandoned: 0,
  }
  return { ...none, ...Object.fromEntries(rows.map(({ state, number }) => [state, number])) }
}
