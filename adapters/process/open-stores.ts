import type { DatabaseSync } from 'node:sqlite'
import type { GateConfig } from '../../src/config/schema.ts'
import type { Clock } from '../../src/deps.ts'
import type { LimitStore } from '../../src/limit/limit-store.ts'
import { createMemoryLimitStore } from '../../src/limit/memory-store.ts'
import { createMemoryUsageStore } from '../../src/usage/memory-usage-store.ts'
import type { UsageStore } from '../../src/usage/usage-store.ts'
import { backgroundClock } from '../sqlite/background-clock.ts'
import { holdFile } from '../sqlite/hold-file.ts'
import { keepLimits } from '../sqlite/keep-limits.ts'
import { createSqliteLimitArchive } from '../sqlite/limit-archive.ts'
import { openDatabase } from '../sqlite/open-database.ts'
import { createSqliteUsageStore } from '../sqlite/usage-store.ts'
import { resolved } from './load-config.ts'

/** What the gate keeps: counters and usage. */
export type Stores = {
  limits: LimitStore
  usage: UsageStore
  /** Writes what is not written yet, and closes the file. */
  close(): Promise<void>
}

/**
 * Opens the file that the configuration names. Where it cannot be had the gate runs all the same, with what it keeps in
 * memory only, and says so.
 */
export async function openStores(
  { usage }: Pick<GateConfig, 'usage'>,
  { configFile, clock }: { configFile: string; clock: Clock },
  warn: (message: string) => void,
): Promise<Stores> {
  if (usage.file === null) return inMemory(clock)
  const opened = await openAlone(resolved(usage.file, configFile))
  if (!opened.ok) {
    warn(opened.message)
    warn('usage and limits are kept in memory only, until the next start.')
    return inMemory(clock)
  }
  const { database, release } = opened
  const archive = createSqliteLimitArchive(database, clock)
  const kept = keepLimits({ archive, clock, background: backgroundClock, warn })
  const store = createSqliteUsageStore({
    database,
    clock: backgroundClock,
    keepDays: usage.keepDays,
    warn,
  })
  return {
    limits: kept.limits,
    usage: store,
    async close() {
      kept.stop()
      store.close()
      database.close()
      release()
    },
  }
}

type OpenedAlone =
  | { ok: true; database: DatabaseSync; release: () => void }
  | { ok: false; message: string }

/** Opens a database that no other gate uses. It is held first: a newer gate must not migrate what an older one uses. */
async function openAlone(file: string): Promise<OpenedAlone> {
  const held = await holdFile(file)
  if (!held.ok) return held
  const opened = await openDatabase(file)
  if (!opened.ok) held.release()
  return opened.ok ? { ...opened, release: held.release } : opened
}

function inMemory(clock: Clock): Stores {
  return {
    limits: createMemoryLimitStore({ clock }),
    usage: createMemoryUsageStore(),
    close: async () => {},
  }
}
