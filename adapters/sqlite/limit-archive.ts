import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../src/deps.ts'
import type { LimitArchive } from '../../src/limit/limit-archive.ts'
import { inTransaction } from './transaction.ts'

/** Keeps what limits count over a restart, one row per key; `load` gives them ordered by key. */
export function createSqliteLimitArchive(
  database: DatabaseSync,
  clock: Pick<Clock, 'now'>,
): LimitArchive {
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
