import type { Clock } from '../../src/deps.ts'

/** Collects items and writes them together a little later, so that no request waits for the disk. */
export type WriteBehind<T> = {
  /** Takes an item; never throws. */
  push(item: T): void
  /** Writes what waits, now; what could not be written goes on waiting. Never throws. */
  flush(): void
}

export type WriteBehindOptions<T> = {
  clock: Clock
  /** Writes all of them or throws. */
  write: (items: readonly T[]) => void
  /** Told when the disk fails, at most once an hour, and when lost items are known. */
  warn: (message: string) => void
}

/** An item is written this long after it came, at the latest. */
export const WRITE_WITHIN_MS = 500
/** So many items do not wait for the time. */
export const BATCH = 500
/** More than this are not kept while the disk fails: the oldest are lost. */
export const MAX_WAITING = 10_000
/** Pause after a failure. */
export const RETRY_MS = 10_000
const WARN_EVERY_MS = 3_600_000

/** @returns a buffer whose timers run on `clock`, which should not keep the process alive for them */
export function createWriteBehind<T>({
  clock,
  write,
  warn,
}: WriteBehindOptions<T>): WriteBehind<T> {
  let waiting: T[] = []
  let lost = 0
  let isFailing = false
  let warnedAt = -Infinity
  let cancelTimer: (() => void) | undefined
  const arm = (ms: number): void => {
    cancelTimer?.()
    cancelTimer = clock.setTimer(ms, flush)
  }
  const disarm = (): void => {
    cancelTimer?.()
    cancelTimer = undefined
  }
  function flush(): void {
    disarm()
    if (waiting.length === 0) return
    try {
      write(waiting)
    } catch (error) {
      isFailing = true
      arm(RETRY_MS)
      tellFailure(error instanceof Error ? error.message : String(error))
      return
    }
    waiting = []
    isFailing = false
    if (lost > 0) warn(`usage is written again; ${lost} records were lost`)
    lost = 0
  }
  function tellFailure(cause: string): void {
    if (clock.now() - warnedAt < WARN_EVERY_MS) return
    warnedAt = clock.now()
    const alsoLost = lost > 0 ? `, ${lost} older ones are lost` : ''
    warn(`usage cannot be written: ${cause}; ${waiting.length} records wait${alsoLost}`)
  }
  return {
    push(item) {
      waiting.push(item)
      if (waiting.length > MAX_WAITING) {
        waiting.shift()
        lost += 1
      }
      if (isFailing) return
      // Even a full batch is written from a timer: never within the request that filled it.
      if (waiting.length === BATCH) arm(0)
      else if (cancelTimer === undefined) arm(WRITE_WITHIN_MS)
    },
    flush,
  }
}
