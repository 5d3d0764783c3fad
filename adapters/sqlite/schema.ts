import { USAGE_TABLE } from './usage-table.ts'

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

  ${USAGE_TABLE}

  -- What each key has used of its limits, as text that only the gate's core reads.
  CREATE TABLE limit_state (
    key_id TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    written_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
]
