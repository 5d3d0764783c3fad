import type { Clock } from '../../src/deps.ts'

/** The isolate's clock; it stands still between two inputs or outputs. */
export const workerClock: Clock = {
  now: () => Date.now(),
  setTimer(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
