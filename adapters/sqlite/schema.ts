/**
 * Marks a database as the gate's own (PRAGMA application_id): "swgp" in ASCII. Another program's database must never
 * get our tables.
 */
export const APPLICATION_ID = 0x73_77_67_70

/**
 * The steps from an empty database to the newest one; the number of steps done is in PRAGMA user_version. A step that
 * was released is never changed, only followed by another one.
 */
export const MIGRATIONS: readonly string[] = [
  `
  PRAGMA application_id = ${APPLICATION_ID};

  -- One finished request per row. Times in milliseconds, "at" since the epoch.
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
  CREATE INDEX usage_record_key_at ON usage_record (key_id, at);

  -- What each key has used of its limits, as text that only the gate's core reads.
  CREATE TABLE limit_state (
    key_id TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    written_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
]
