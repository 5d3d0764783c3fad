import type { Clock } from '../../src/deps.ts'
import { causeOf } from './cause-of.ts'
import { createFaultTeller } from './tell-fault.ts'

/** Collects items and writes them together a little later, so that no request waits for the disk. */
export type WriteBehind<T> = {
  /** Takes an item; never throws. */
  push(item: T): void
  /** Writes what waits, now; what could not be written goes on waiting. Never throws. */
  flush(): void
  /** What waits, the oldest first. */
  waiting(): readonly T[]
  /** Tries once more to write what waits; what cannot be written is lost, and how many that are is told. Never throws. */
  close(): void
}

export type WriteBehindOptions<T> = {
  clock: Clock
  /** Writes all of them or throws. */
  write: (items: readonly T[]) => void
  /** Told when the disk fails, at most once an hour, when it works again, and when lost items are known. */
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

/** @returns a buffer whose timers run on `clock`, which should not keep the process alive for them */
export function createWriteBehind<T>({
  clock,
  write,
  warn,
}: WriteBehindOptions<T>): WriteBehind<T> {
  let waiting: T[] = []
  let lost = 0
  let isFailing = false
  const fault = createFaultTeller(clock, warn)
  const timer = createTimer(clock, flush)
  /** Gives why what waits could not be written; undefined where it is. */
  function attempt(): string | undefined {
    timer.disarm()
    if (waiting.length === 0) return undefined
    try {
      write(waiting)
    } catch (error) {
      return causeOf(error)
    }
    waiting = []
    isFailing = false
    const alsoLost = lost > 0 ? `; ${lost} records were lost` : ''
    fault.healed(`usage is written again${alsoLost}`, lost > 0)
    lost = 0
    return undefined
  }
  function flush(): void {
    const cause = attempt()
    if (cause === undefined) return
    isFailing = true
    timer.arm(RETRY_MS)
    const alsoLost = lost > 0 ? `, ${lost} older ones are lost` : ''
    fault.failed(`usage cannot be written: ${cause}; ${waiting.length} records wait${alsoLost}`)
  }
  function close(): void {
    const cause = attempt()
    if (cause === undefined) return
    warn(`usage cannot be written: ${cause}; ${waiting.length + lost} records are lost`)
    waiting = []
    lost = 0
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
      if (waiting.length === BATCH) timer.arm(0)
      else if (!timer.isArmed()) timer.arm(WRITE_WITHIN_MS)
    },
    flush,
    waiting: () => waiting,
    close,
  }
}

/** One timer that is set anew. */
function createTimer(
  clock: Clock,
  run: () => void,
): { arm(ms: number): void; disarm(): void; isArmed(): boolean } {
  let cancel: (() => void) | undefined
  const disarm = (): void => {
    cancel?.()
    cancel = undefined
  }
  return {
    arm(ms) {
      disarm()
      cancel = clock.setTimer(ms, run)
    },
    disarm,
    isArmed: () => cancel !== undefined,
  }
}
