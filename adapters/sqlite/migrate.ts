import type { DatabaseSync } from 'node:sqlite'
import { APPLICATION_ID, MIGRATIONS } from './schema.ts'
import { inTransaction } from './transaction.ts'

/** Why a database was left as it is. */
export type Unsuited = 'newer' | 'foreign'

/**
 * Brings a database to the newest schema, one transaction per step; a step that fails leaves the state before it and
 * throws. Gives why the database was left alone, or undefined where it is up to date now.
 *
 * @param migrations all steps from an empty database on
 */
export function migrate(
  database: DatabaseSync,
  migrations: readonly string[] = MIGRATIONS,
): Unsuited | undefined {
  if (isForeign(database)) return 'foreign'
  if (versionOf(database) > migrations.length) return 'newer'
  while (versionOf(database) < migrations.length)
    inTransaction(database, () => {
      // Read again: another process may have done the step while this one waited.
      const version = versionOf(database)
      const step = migrations[version]
      if (step !== undefined) database.exec(`${step}; PRAGMA user_version = ${version + 1}`)
    })
  return undefined
}

/** How many steps were done (PRAGMA user_version). */
export function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
}

function isForeign(database: DatabaseSync): boolean {
  const id = database.prepare('PRAGMA application_id').get()?.['application_id']
  const tables = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables']
  return id !== APPLICATION_ID && (tables !== 0 || versionOf(database) !== 0)
}
