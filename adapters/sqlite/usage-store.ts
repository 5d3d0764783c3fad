import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../src/deps.ts'
import type { UsageRecord } from '../../src/usage/record.ts'
import { sumUsage } from '../../src/usage/sum-usage.ts'
import type { UsageQuery, UsageStore, UsageTotal } from '../../src/usage/usage-store.ts'
import { causeOf } from './cause-of.ts'
import { inTransaction } from './transaction.ts'
import {
  DELETE_USAGE_BEFORE,
  INSERT_USAGE,
  inWholeNumbers,
  totalOf,
  totalsStatement,
  valuesOf,
} from './usage-table.ts'
import { createWriteBehind } from './write-behind.ts'

export type SqliteUsageStore = UsageStore & {
  /** Tries for the last time to write what waits, and tells how many records are lost; the database stays open. */
  close(): void
}

export type SqliteUsageOptions = {
  database: DatabaseSync
  /** Its timers should not keep the process alive. */
  clock: Clock
  /** Records older than this are deleted: now, and with the first write of each later day. */
  keepDays: number
  /** Told when the disk fails; nothing else comes of it, since usage must never stop a request. */
  warn: (message: string) => void
}

const DAY_MS = 86_400_000

/**
 * Keeps usage records in SQLite. They are written in batches; what could not be written waits in memory, is counted in
 * `totals` all the same, and is tried again. Records without a model are the group `''`. `totals` rejects where the file
 * cannot be read.
 */
export function createSqliteUsageStore({
  database,
  clock,
  keepDays,
  warn,
}: SqliteUsageOptions): SqliteUsageStore {
  const insert = database.prepare(INSERT_USAGE)
  const deleteOld = database.prepare(DELETE_USAGE_BEFORE)
  let sweepAt = -Infinity
  const write = (records: readonly UsageRecord[]): void => {
    const isSweepDue = clock.now() >= sweepAt
    inTransaction(database, () => {
      // First: on a full disk the room of old records may be what the new ones need.
      if (isSweepDue) deleteOld.run(clock.now() - keepDays * DAY_MS)
      for (const record of records) insert.run(...valuesOf(record))
    })
    if (isSweepDue) sweepAt = clock.now() + DAY_MS
  }
  const buffer = createWriteBehind({ clock, write, warn })
  try {
    write([])
  } catch (error) {
    warn(`old usage cannot be deleted: ${causeOf(error)}`)
  }
  return {
    append: (record) => buffer.push(inWholeNumbers(record)),
    async totals(query) {
      buffer.flush()
      return sumUsage(buffer.waiting(), query, totalsOf(database, query))
    },
    async flush() {
      buffer.flush()
    },
    close: () => buffer.close(),
  }
}

function totalsOf(database: DatabaseSync, query: UsageQuery): UsageTotal[] {
  const { sql, values } = totalsStatement(query)
  return database
    .prepare(sql)
    .all(...values)
    .map(totalOf)
}
