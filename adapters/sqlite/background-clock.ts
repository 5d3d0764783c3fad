// The global one of Deno gives a number, which has no unref.
import { setTimeout, clearTimeout } from 'node:timers'
import type { Clock } from '../../src/deps.ts'

/** The machine's clock for work that is not worth living for: its timers never keep the process from ending. */
export const backgroundClock: Clock = {
  now: () => Date.now(),
  setTimer(ms, run) {
    const timer = setTimeout(run, ms).unref()
    return () => clearTimeout(timer)
  },
}
