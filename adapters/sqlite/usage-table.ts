import type { UsageRecord } from '../../src/usage/record.ts'
import type { UsageGroup, UsageQuery, UsageTotal } from '../../src/usage/usage-store.ts'

/** The table of usage as any SQLite takes it, and what is written to and read from it. It knows no driver. */

/** A value that SQLite takes and gives; the table has no blobs. */
type Value = string | number | null

/** A statement with the values of its parameters. */
export type Statement = { sql: string; values: Value[] }

/** One finished request per row. */
export const USAGE_TABLE = `-- One finished request per row. Times in milliseconds, "at" since the epoch.
CREATE TABLE usage_record (
  request_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  day TEXT NOT NULL,
  key_id TEXT NOT NULL,
  model TEXT,
  dialect TEXT NOT NULL,
  route TEXT NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER NOT NULL,
  prompt_tokens INTEGER,
  cached_tokens INTEGER,
  completion_tokens INTEGER,
  -- 1 where the tokens are an estimate; NULL where there are none.
  estimated INTEGER,
  queue_ms INTEGER,
  ttft_ms INTEGER,
  duration_ms INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL
) STRICT;
CREATE INDEX usage_record_at ON usage_record (at);
CREATE INDEX usage_record_key_at ON usage_record (key_id, at);`

/** Writes one record; its values come from `valuesOf`. */
export const INSERT_USAGE = `
  INSERT INTO usage_record (
    request_id, at, day, key_id, model, dialect, route, outcome, status,
    prompt_tokens, cached_tokens, completion_tokens, estimated,
    queue_ms, ttft_ms, duration_ms, bytes_in, bytes_out
  ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** Deletes what was accepted before an epoch millisecond. */
export const DELETE_USAGE_BEFORE = 'DELETE FROM usage_record WHERE at < ?'

/** The values of `INSERT_USAGE`. */
export function valuesOf(record: UsageRecord): Value[] {
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
export function inWholeNumbers({ tokens, queueMs, ttftMs, ...record }: UsageRecord): UsageRecord {
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

/** Asks for sums, ordered by group; `totalOf` reads a row of the answer. */
export function totalsStatement({ since, by, keyId }: UsageQuery): Statement {
  // As `isOfKey`: what begins with "key/" lies between that and "key0", since "0" follows "/". An index can find it.
  const ofKey = keyId === undefined ? '' : 'AND (key_id = ? OR (key_id > ? AND key_id < ?))'
  const values = keyId === undefined ? [since] : [since, keyId, `${keyId}/`, `${keyId}0`]
  const sql = `SELECT ${GROUPS[by]} AS "group", ${SUMS} FROM usage_record WHERE at >= ? ${ofKey} GROUP BY 1 ORDER BY 1`
  return { sql, values }
}

/** The sums in a row that `totalsStatement` gave. */
export function totalOf(row: Readonly<Record<string, unknown>>): UsageTotal {
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
