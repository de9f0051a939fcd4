import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { Fault } from '../domain/fault.ts'
import { digestOf } from '../domain/json.ts'
import { locks } from './locks.ts'
import type { Database, Queries } from './postgres/database.ts'

/** Where a room keeps its tables' history: files `0001-what.sql`, `0002-…`, never changed once they are released. */
export interface MigrationFolder {
  readonly name: string
  /** Absolute path. */
  readonly folder: string
}

/** The engine's own; comes first. */
export const engineMigrations: MigrationFolder = { name: 'engine', folder: join(import.meta.dirname, 'migrations') }

interface MigrationFile {
  readonly number: number
  readonly file: string
  readonly text: string
}
interface Applied {
  readonly number: number
  readonly file: string
  readonly digest: string
}

/**
 * Brings the tables to this version: all files or none. Every process calls it when it starts; of several at once one
 * works and the others wait. Safe to repeat.
 * @throws Fault database-mismatch when a released file was changed, or the database is from a newer version
 */
export async function migrate(database: Database, folders: readonly MigrationFolder[]): Promise<void> {
  const rooms = await Promise.all(folders.map(async (room) => ({ ...room, files: await readMigrations(room.folder) })))
  await database.patiently((queries) =>
    queries.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(${locks.migration})`.execute(tx)
      await createOwnTable(tx)
      for (const { name, files } of rooms) {
        const { rows } = await sql<Applied>`
          select number, file, digest from gaffer.migrations where room = ${name} order by number`.execute(tx)
        for (const { number, file, text } of pending(name, files, rows)) {
          await sql.raw(text).execute(tx)
          await sql`
            insert into gaffer.migrations (room, number, file, digest)
            values (${name}, ${number}, ${file}, ${digestOf(text)})`.execute(tx)
        }
      }
    }),
  )
}

async function createOwnTable(tx: Queries): Promise<void> {
  await sql`create schema if not exists gaffer`.execute(tx)
  await sql`
    create table if not exists gaffer.migrations (
      room text not null,
      number integer not null,
      file text not null,
      digest text not null,
      applied_at timestamptz not null default now(),
      primary key (room, number)
    )`.execute(tx)
}

/** The files still to run, once those that ran are known to be the same. */
export function pending(
  room: string,
  files: readonly MigrationFile[],
  applied: readonly Applied[],
): readonly MigrationFile[] {
  for (const { number, file, digest } of applied) {
    const ours = files.find((candidate) => candidate.number === number)
    if (ours === undefined)
      throw new Fault('database-mismatch', `the database has migration ${room}/${file}, which this Gaffer lacks`, {
        hint: 'a newer Gaffer has worked here: run that version, or a database of its own for this one',
      })
    if (digestOf(ours.text) !== digest)
      throw new Fault('database-mismatch', `migration ${room}/${file} is not the one this database was made with`, {
        hint: 'restore the file as it was released and put the change into a new one',
      })
  }
  return files.filter(({ number }) => !applied.some((done) => done.number === number))
}

async function readMigrations(folder: string): Promise<readonly MigrationFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted()
  const files = await Promise.all(
    names.map(async (file) => ({
      number: Number(/^(\d{4})-/.exec(file)?.[1]),
      file,
      text: await readFile(join(folder, file), 'utf8'),
    })),
  )
  const odd = files.find(({ number }, index) => number !== index + 1)
  if (odd !== undefined) throw new TypeError(`${join(folder, odd.file)}: migrations count 0001, 0002, … with no gap`)
  return files
}
