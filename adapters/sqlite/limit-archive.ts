import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../src/deps.ts'
import { inTransaction } from './transaction.ts'

/** What a key has used of its limits, as text that this adapter does not read. */
export type LimitRow = { keyId: string; text: string }

export type SqliteLimitArchive = {
  /** All rows, ordered by key. Throws where the file cannot be read. */
  load(): LimitRow[]
  /** Puts these rows in the place of the same keys' older ones, all or none; throws where they cannot be written. */
  save(rows: readonly LimitRow[]): void
}

/** Keeps what limits count over a restart, one row per key. */
export function createSqliteLimitArchive(
  database: DatabaseSync,
  clock: Pick<Clock, 'now'>,
): SqliteLimitArchive {
  const select = database.prepare('SELECT key_id, text FROM limit_state ORDER BY key_id')
  const replace = database.prepare(
    'INSERT OR REPLACE INTO limit_state (key_id, text, written_at) VALUES (?, ?, ?)',
  )
  return {
    load: () =>
      select.all().map((row) => ({ keyId: String(row['key_id']), text: String(row['text']) })),
    save(rows) {
      inTransaction(database, () => {
        for (const { keyId, text } of rows) replace.run(keyId, text, clock.now())
      })
    },
  }
}
