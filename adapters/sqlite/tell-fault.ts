import type { Clock } from '../../src/deps.ts'

/** Tells of a fault that comes back with every write. */
export type FaultTeller = {
  /** The fault is there; it is told at most once an hour. */
  failed(message: string): void
  /**
   * The fault is not there (any more): told where the fault was told since the last time.
   *
   * @param always true: told in any case
   */
  healed(message: string, always?: boolean): void
}

const TELL_EVERY_MS = 3_600_000

/** @param warn gets what is to be told */
export function createFaultTeller(
  clock: Pick<Clock, 'now'>,
  warn: (message: string) => void,
): FaultTeller {
  let toldAt = -Infinity
  let isTold = false
  return {
    failed(message) {
      if (clock.now() - toldAt < TELL_EVERY_MS) return
      toldAt = clock.now()
      isTold = true
      warn(message)
    },
    healed(message, always = false) {
      if (isTold || always) warn(message)
      isTold = false
    },
  }
}
