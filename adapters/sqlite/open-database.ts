import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { loadSqlite } from './load-sqlite.ts'
import { migrate } from './migrate.ts'

/** A database that is ready for use, or why there is none, with the way out. */
export type OpenedDatabase = { ok: true; database: DatabaseSync } | { ok: false; message: string }

/** Another process that starts at the same moment may be at its migration. */
const BUSY_AT_START_MS = 5_000
/** A wait for another process holds up every request, so later it is short; what could not be written is tried again. */
const BUSY_MS = 50

/**
 * Opens the file, makes it where it is missing (folder 0700, file 0600), and brings it to the newest schema. In WAL mode
 * others may read while the gate writes, and a killed process loses nothing that was committed.
 *
 * @param file path of the database; `-wal` and `-shm` stand beside it while it is open
 */
export async function openDatabase(file: string): Promise<OpenedDatabase> {
  const sqlite = await loadSqlite()
  if (!sqlite)
    return fail(
      `This Node (${process.version}) has no SQLite, so nothing can be kept in ${file}. Node 22.13 and newer, Bun and Deno have it; or set usage.file to null to keep usage in memory only.`,
    )
  let database: DatabaseSync | undefined
  try {
    makeFile(file)
    database = new sqlite.DatabaseSync(file)
    const why = prepare(database, file)
    if (why === undefined) return { ok: true, database }
    database.close()
    return fail(why)
  } catch (error) {
    database?.close()
    return fail(explain(error instanceof Error ? error.message : String(error), file))
  }
}

/** SQLite itself would make a file that everybody may read; its companions get the same mode as the file. */
function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
}

/** Gives why the database cannot be used; undefined where it can. */
function prepare(database: DatabaseSync, file: string): string | undefined {
  database.exec(`PRAGMA busy_timeout = ${BUSY_AT_START_MS}`)
  const check = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
  if (check !== 'ok') return damaged(file, String(check))
  const unsuited = migrate(database)
  if (unsuited === 'newer')
    return `${file} was written by a newer swapgate and was left as it is. Update swapgate, or set usage.file to another path.`
  if (unsuited === 'foreign')
    return `${file} is another program's database and was left as it is. Set usage.file to another path.`
  // NORMAL with WAL: no sync per transaction; a power cut may lose the last seconds, never the database.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
  return undefined
}

// By their words: Deno tells no code.
const DAMAGED = /not a database|malformed|corrupt/i

function explain(cause: string, file: string): string {
  if (DAMAGED.test(cause)) return damaged(file, cause)
  return `${file} cannot be opened for writing: ${cause}. Let this user write in ${dirname(file)}, or set usage.file to another path, or to null to keep usage in memory only.`
}

function damaged(file: string, cause: string): string {
  return `${file} is damaged or no SQLite database (${cause.split('\n')[0]}). Move it away, with ${file}-wal and ${file}-shm where they are there; the next start makes a new one.`
}

function fail(message: string): OpenedDatabase {
  return { ok: false, message }
}
