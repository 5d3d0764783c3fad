/** A clock that only moves when a test says so. */
export type FakeClock = {
  /** Epoch milliseconds. */
  now(): number
  /** Runs `run` once, `ms` from now; the returned function cancels it. */
  setTimer(ms: number, run: () => void): () => void
  /** Moves time on by `ms`, running due timers in order; promises settle between two timers. */
  advance(ms: number): Promise<void>
  /** How many timers are still waiting: a test can prove that nothing was left behind. */
  pending(): number
}

type Timer = { dueAt: number; run: () => void }

/** More timers than this in one step means a timer that re-arms itself with no delay. */
const MAX_TIMERS_PER_ADVANCE = 100_000

/** Starts at `startMs`, by default the first moment of 2026 in UTC. */
export function fakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  let now = startMs
  const timers = new Set<Timer>()

  /** The earliest due timer; a Set keeps insertion order, so equal times run first come first. */
  function nextDue(until: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of timers) {
      if (timer.dueAt <= until && (first === undefined || timer.dueAt < first.dueAt)) first = timer
    }
    return first
  }

  return {
    now: () => now,
    setTimer(ms, run) {
      const timer = { dueAt: now + Math.max(0, ms), run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async advance(ms) {
      const until = now + ms
      await settlePromises()
      for (let ran = 0; ; ran++) {
        const timer = nextDue(until)
        if (timer === undefined) break
        if (ran > MAX_TIMERS_PER_ADVANCE) throw new Error('a timer re-arms itself without delay')
        timers.delete(timer)
        now = timer.dueAt
        timer.run()
        await settlePromises()
      }
      now = until
    },
    pending: () => timers.size,
  }
}

/** An immediate runs after the whole microtask queue, however long a chain of promises is. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
