import type { Clock } from '../../src/deps.ts'
import type { ArchivedKey, LimitArchive } from '../../src/limit/limit-archive.ts'
import { createMemoryLimitStore, type MemoryLimitStore } from '../../src/limit/memory-store.ts'
import type { LimitStore } from '../../src/limit/limit-store.ts'
import { causeOf } from './cause-of.ts'
import { createFaultTeller } from './tell-fault.ts'

/** What a killed process forgets, at most. */
const SAVE_EVERY_MS = 500
const FAILED = 'what is left of the limits cannot be saved'

/** Limits in memory that survive a restart. */
export type KeptLimits = {
  limits: LimitStore
  /** Saves what is not saved yet, for the last time; tells of how many keys it could not be saved. */
  stop(): void
}

export type KeepLimitsOptions = {
  archive: LimitArchive
  clock: Clock
  /** For the timer, which must not keep the process alive. */
  background: Clock
  /** Told when the disk fails and when it works again; the limits go on counting in memory. */
  warn: (message: string) => void
}

/** Saves the keys that changed twice a second, all in one step. */
export function keepLimits({ archive, clock, background, warn }: KeepLimitsOptions): KeptLimits {
  const limits = openLimits({ archive, clock, warn })
  const fault = createFaultTeller(background, warn)
  // What could not be saved waits; what changed since takes its place.
  const unsaved = new Map<string, ArchivedKey>()
  /** Gives why it could not be saved; undefined where it is. */
  function save(): string | undefined {
    for (const row of limits.changed()) unsaved.set(row.keyId, row)
    if (unsaved.size === 0) return undefined
    try {
      archive.save([...unsaved.values()])
    } catch (error) {
      return causeOf(error)
    }
    unsaved.clear()
    fault.healed('what is left of the limits is saved again')
    return undefined
  }
  let cancel = background.setTimer(SAVE_EVERY_MS, again)
  function again(): void {
    const cause = save()
    if (cause !== undefined) fault.failed(`${FAILED}: ${cause}`)
    cancel = background.setTimer(SAVE_EVERY_MS, again)
  }
  return {
    limits,
    stop() {
      cancel()
      const cause = save()
      if (cause === undefined) return
      warn(
        `${FAILED}: ${cause}; the next start will not know all that ${unsaved.size} keys have used`,
      )
    },
  }
}

/** Limits that cannot be read begin anew: no reason to refuse anybody. */
function openLimits({
  archive,
  clock,
  warn,
}: Omit<KeepLimitsOptions, 'background'>): MemoryLimitStore {
  const unreadable: string[] = []
  const load = (): ArchivedKey[] => {
    try {
      return archive.load()
    } catch (error) {
      warn(`what was left of the limits cannot be read, so they begin anew: ${causeOf(error)}`)
      return []
    }
  }
  const limits = createMemoryLimitStore({
    clock,
    archive: { ...archive, load },
    unreadable: (keyId) => void unreadable.push(JSON.stringify(keyId)),
  })
  if (unreadable.length > 0)
    warn(
      `what was left of the limits of ${unreadable.join(', ')} cannot be read, so they begin anew`,
    )
  return limits
}
