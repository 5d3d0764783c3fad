import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite'
import type { Clock } from '../../src/deps.ts'
import type { UsageRecord } from '../../src/usage/record.ts'
import { sumUsage } from '../../src/usage/sum-usage.ts'
import type { UsageGroup, UsageQuery, UsageStore, UsageTotal } from '../../src/usage/usage-store.ts'
import { causeOf } from './cause-of.ts'
import { inTransaction } from './transaction.ts'
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
  const insert = database.prepare(INSERT)
  const deleteOld = database.prepare('DELETE FROM usage_record WHERE at < ?')
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

const INSERT = `
  INSERT INTO usage_record (
    request_id, at, day, key_id, model, dialect, route, outcome, status,
    prompt_tokens, cached_tokens, completion_tokens, estimated,
    queue_ms, ttft_ms, duration_ms, bytes_in, bytes_out
  ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

function valuesOf(record: UsageRecord): SQLInputValue[] {
  const { tokens } = record
  return [
    record.requestId,
    record.at,
    record.day,
    record.keyId,
    record.model ?? null,
    record.dialect,
    record.route,
    record.outcome,
    record.status,
    tokens?.prompt ?? null,
    tokens?.cached ?? null,
    tokens?.completion ?? null,
    tokens === undefined ? null : Number(!tokens.exact),
    record.queueMs ?? null,
    record.ttftMs ?? null,
    record.durationMs,
    record.bytesIn,
    record.bytesOut,
  ]
}

/** A number that the table refuses would hold up all records behind it for ever. */
function inWholeNumbers({ tokens, queueMs, ttftMs, ...record }: UsageRecord): UsageRecord {
  return {
    ...record,
    at: whole(record.at),
    tokens: tokens && {
      prompt: whole(tokens.prompt),
      cached: whole(tokens.cached),
      completion: whole(tokens.completion),
      exact: tokens.exact,
    },
    queueMs: queueMs === undefined ? undefined : whole(queueMs),
    ttftMs: ttftMs === undefined ? undefined : whole(ttftMs),
    durationMs: whole(record.durationMs),
    bytesIn: whole(record.bytesIn),
    bytesOut: whole(record.bytesOut),
  }
}

function whole(value: number): number {
  return Number.isSafeInteger(Math.round(value)) ? Math.round(value) : 0
}

const GROUPS: Record<UsageGroup, string> = {
  key: 'key_id',
  model: "coalesce(model, '')",
  day: 'day',
}

// total(), not sum(): it never overflows, and is 0 where there is nothing but NULL.
const SUMS = `
  count(*) AS requests,
  total(outcome = 'completed') AS completed,
  total(prompt_tokens) AS prompt_tokens,
  total(cached_tokens) AS cached_tokens,
  total(completion_tokens) AS completion_tokens,
  total(estimated) AS estimated,
  total(queue_ms) AS queue_ms,
  total(duration_ms) AS duration_ms,
  total(bytes_in) AS bytes_in,
  total(bytes_out) AS bytes_out`

function totalsOf(database: DatabaseSync, { since, by, keyId }: UsageQuery): UsageTotal[] {
  const ofKey = keyId === undefined ? '' : 'AND key_id = ?'
  const values = keyId === undefined ? [since] : [since, keyId]
  return database
    .prepare(
      `SELECT ${GROUPS[by]} AS "group", ${SUMS} FROM usage_record WHERE at >= ? ${ofKey} GROUP BY 1 ORDER BY 1`,
    )
    .all(...values)
    .map(totalOf)
}

function totalOf(row: Record<string, SQLOutputValue>): UsageTotal {
  return {
    group: String(row['group']),
    requests: Number(row['requests']),
    completed: Number(row['completed']),
    promptTokens: Number(row['prompt_tokens']),
    cachedTokens: Number(row['cached_tokens']),
    completionTokens: Number(row['completion_tokens']),
    estimated: Number(row['estimated']),
    queueMs: Number(row['queue_ms']),
    durationMs: Number(row['duration_ms']),
    bytesIn: Number(row['bytes_in']),
    bytesOut: Number(row['bytes_out']),
  }
}
