import type { Clock } from '../../src/deps.ts'

/** The machine's clock. Timers do not keep the process alive: open connections do. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
