import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { explainDamage, explainFault, explainNoSqlite } from './explain-fault.ts'
import { loadSqlite } from './load-sqlite.ts'
import { makeFile } from './make-file.ts'
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
  if (!sqlite) return fail(explainNoSqlite(file))
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
    return fail(explainFault(error, file))
  }
}

/** To look through a larger file would hold up the start; damage in it is told when it is met. */
const MOST_CHECKED_BYTES = 64 * 1024 * 1024

function checkOf(database: DatabaseSync, file: string): unknown {
  if (statSync(file).size > MOST_CHECKED_BYTES) return 'ok'
  return database.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
}

/** Gives why the database cannot be used; undefined where it can. */
function prepare(database: DatabaseSync, file: string): string | undefined {
  database.exec(`PRAGMA busy_timeout = ${BUSY_AT_START_MS}`)
  const check = checkOf(database, file)
  if (check !== 'ok') return explainDamage(String(check), file)
  const unsuited = migrate(database)
  if (unsuited === 'newer')
    return `${file} was written by a newer swapgate and was left as it is. Update swapgate, or set usage.file to another path.`
  if (unsuited === 'foreign')
    return `${file} is another program's database and was left as it is. Set usage.file to another path.`
  // NORMAL with WAL: no sync per transaction; a power cut may lose the last seconds, never the database.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  // SQLite opens a file that may not be written for reading only, and says so at the first write.
  database.exec('BEGIN IMMEDIATE; ROLLBACK')
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
  return undefined
}

function fail(message: string): OpenedDatabase {
  return { ok: false, message }
}
