import type { Clock } from '../../src/deps.ts'
import type { ArchivedKey, LimitArchive } from '../../src/limit/limit-archive.ts'
import { createMemoryLimitStore } from '../../src/limit/memory-store.ts'
import type { LimitStore } from '../../src/limit/limit-store.ts'

/** What a killed process forgets, at most. */
const SAVE_EVERY_MS = 500
const WARN_EVERY_MS = 3_600_000

/** Limits in memory that survive a restart. */
export type KeptLimits = {
  limits: LimitStore
  /** Saves what is not saved yet, for the last time. */
  stop(): void
}

export type KeepLimitsOptions = {
  archive: LimitArchive
  clock: Clock
  /** For the timer, which must not keep the process alive. */
  background: Clock
  /** Told when the disk fails; the limits go on counting in memory. */
  warn: (message: string) => void
}

/** Saves the keys that changed twice a second, all in one step. */
export function keepLimits({ archive, clock, background, warn }: KeepLimitsOptions): KeptLimits {
  const limits = createMemoryLimitStore({ clock, archive: readable(archive, warn) })
  // What could not be saved waits; what changed since takes its place.
  const unsaved = new Map<string, ArchivedKey>()
  let warnedAt = -Infinity
  function save(): void {
    for (const row of limits.changed()) unsaved.set(row.keyId, row)
    if (unsaved.size === 0) return
    try {
      archive.save([...unsaved.values()])
      unsaved.clear()
    } catch (error) {
      if (background.now() - warnedAt < WARN_EVERY_MS) return
      warnedAt = background.now()
      warn(`what is left of the limits cannot be saved: ${messageOf(error)}`)
    }
  }
  let cancel = background.setTimer(SAVE_EVERY_MS, again)
  function again(): void {
    save()
    cancel = background.setTimer(SAVE_EVERY_MS, again)
  }
  return {
    limits,
    stop() {
      cancel()
      save()
    },
  }
}

/** Limits that cannot be read begin anew: no reason to refuse anybody. */
function readable(archive: LimitArchive, warn: (message: string) => void): LimitArchive {
  return {
    ...archive,
    load() {
      try {
        return archive.load()
      } catch (error) {
        warn(`what was left of the limits cannot be read, so they begin anew: ${messageOf(error)}`)
        return []
      }
    },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
