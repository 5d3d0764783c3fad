import type { Clock } from '../deps.ts'

/** Lengths in milliseconds; 0 turns the one it stands for off. */
export type SilenceLimits = { firstBeatMs: number; beatEveryMs: number; limitMs: number }

/**
 * The limits of an exchange with heartbeats, or without any. Once there was one (`isBeating`) the next keep its pace,
 * whatever else begins.
 */
export function silenceLimits(
  heartbeat: { afterMs: number; everyMs: number } | undefined,
  isBeating: boolean,
  limitMs: number,
): SilenceLimits {
  if (!heartbeat) return { firstBeatMs: 0, beatEveryMs: 1, limitMs }
  const { afterMs, everyMs } = heartbeat
  const firstBeatMs = isBeating ? Math.min(afterMs, everyMs) : afterMs
  return { firstBeatMs, beatEveryMs: everyMs, limitMs }
}

export type SilenceEvents = {
  /** It has been silent so long that the client should hear something. */
  beat(): void
  /** It has been silent so long that nothing is expected any more. */
  expired(): void
}

/**
 * Watches one exchange for silence of upstream with a single timer: a byte costs one assignment, never a timer.
 */
export class SilenceWatch {
  readonly #clock: Clock
  readonly #events: SilenceEvents
  #limits: SilenceLimits
  // Times in epoch milliseconds. Beats must not count as a sign of life, or the limit would never be reached.
  #heardAt: number
  #beatAt = 0
  #cancel: (() => void) | undefined

  constructor(clock: Clock, limits: SilenceLimits, events: SilenceEvents) {
    this.#clock = clock
    this.#limits = limits
    this.#events = events
    this.#heardAt = clock.now()
    this.#arm()
  }

  /** Upstream gave a sign of life. */
  heard(): void {
    this.#heardAt = this.#clock.now()
  }

  /** Other limits from now on, counted from this moment. */
  limitTo(limits: SilenceLimits): void {
    this.#limits = limits
    this.heard()
    this.#arm()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #arm(): void {
    this.stop()
    const dueAt = Math.min(this.#beatDueAt(), this.#limitDueAt())
    if (dueAt === Infinity) return
    const wait = Math.max(1, dueAt - this.#clock.now())
    this.#cancel = this.#clock.setTimer(wait, () => this.#wake())
  }

  #beatDueAt(): number {
    const { firstBeatMs, beatEveryMs } = this.#limits
    if (firstBeatMs === 0) return Infinity
    return this.#beatAt > this.#heardAt ? this.#beatAt + beatEveryMs : this.#heardAt + firstBeatMs
  }

  #limitDueAt(): number {
    return this.#limits.limitMs === 0 ? Infinity : this.#heardAt + this.#limits.limitMs
  }

  #wake(): void {
    const now = this.#clock.now()
    // A clock that was set back would otherwise wait for the old time to come round again.
    if (now < this.#heardAt) this.#heardAt = now
    if (now < this.#beatAt) this.#beatAt = now
    if (now >= this.#limitDueAt()) return this.#events.expired()
    if (now >= this.#beatDueAt()) {
      this.#beatAt = now
      this.#events.beat()
    }
    if (this.#cancel !== undefined) this.#arm()
  }
}
