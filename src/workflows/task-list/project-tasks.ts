import { type Kysely, sql } from 'kysely'
import { taskEventSchema } from '../../domain/task/event.ts'
import { evolve } from '../../domain/task/evolve.ts'
import { unitsOf, workOf, type Task } from '../../domain/task/task.ts'
import type { StoredEvent } from '../../ports/store.ts'
import { waitsFor } from '../waits-for.ts'

type Queries = Kysely<unknown>

/** The tables this room keeps; see migrations/. */
export const taskListMigrations = { name: 'task-list', folder: `${import.meta.dirname}/migrations` }

/**
 * Keeps `gaffer.tasks` in step with the events, inside the transaction that appends them. The row holds the folded
 * task, so that a new event costs the same after ten events and after ten thousand.
 */
export const taskList = {
  name: 'task-list',
  streamPrefix: 'task/',

  async apply(tx: Queries, events: readonly StoredEvent[]): Promise<void> {
    const [first, last] = [events[0], events.at(-1)]
    if (first === undefined || last === undefined) return
    const id = first.stream.slice('task/'.length)
    const { rows } = await sql<{
      task: string
      state: string
    }>`select task, state from gaffer.tasks where id = ${id}`.execute(tx)
    const [row] = rows
    // Written by this projection from events it had parsed: the one place that trusts its own table.
    let task = row === undefined ? undefined : (JSON.parse(row.task) as Task)
    for (const stored of events) task = evolve(task, taskEventSchema.parse(stored.event))
    if (task === undefined) return
    await write(tx, task, { openedAt: first.at, last })
    if (row?.state !== task.state) await recount(tx, row?.state ?? null, task.state)
  },

  async reset(tx: Queries): Promise<void> {
    await sql`truncate gaffer.tasks, gaffer.task_counts`.execute(tx)
  },
}

async function write(
  tx: Queries,
  task: Task,
  { openedAt, last }: { openedAt: string; last: StoredEvent },
): Promise<void> {
  const work = workOf(task)
  const units = unitsOf(task)
  const total = units.length > 0 ? units.length : 'plan' in work ? work.plan.units.length : 0
  const done = units.filter(({ status }) => status === 'checkpointed').length
  await sql`
    insert into gaffer.tasks
      (id, title, state, owner, agent, units_done, units_total, waits_for, opened_at, changed_at, position, version, task)
    values
      (${task.id}, ${printable(task.brief.title)}, ${task.state}, ${task.brief.owner}, ${task.agent}, ${done}, ${total},
       ${waiting(task)}, ${openedAt}, ${last.at}, ${last.position}, ${last.version}, ${JSON.stringify(task)})
    on conflict (id) do update set
      state = excluded.state, units_done = excluded.units_done, units_total = excluded.units_total,
      waits_for = excluded.waits_for, changed_at = excluded.changed_at, position = excluded.position,
      version = excluded.version, task = excluded.task`.execute(tx)
}

async function recount(tx: Queries, before: string | null, after: string): Promise<void> {
  if (before !== null) await sql`update gaffer.task_counts set number = number - 1 where state = ${before}`.execute(tx)
  await sql`
    insert into gaffer.task_counts (state, number) values (${after}, 1)
    on conflict (state) do update set number = gaffer.task_counts.number + 1`.execute(tx)
}

const waiting = (task: Task): string | null => {
  const text = waitsFor(task)
  return text === null ? null : printable(text)
}

/** Postgres text holds no NUL. */
const printable = (text: string): string => text.replaceAll('\u0000', '\uFFFD')
