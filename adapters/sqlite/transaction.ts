import type { DatabaseSync } from 'node:sqlite'

/** Runs something as one transaction: all of it is written, or nothing is and the error is thrown on. */
export function inTransaction<T>(database: DatabaseSync, run: () => T): T {
  // IMMEDIATE: another process is met here, not in the middle of what was begun.
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = run()
    database.exec('COMMIT')
    return result
  } catch (error) {
    rollBack(database)
    throw error
  }
}

function rollBack(database: DatabaseSync): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // SQLite has rolled back by itself, as it does on a full disk; the first error is the one to tell.
  }
}
