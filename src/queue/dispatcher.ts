import type { Clock } from '../deps.ts'
import type { GateError } from '../errors/gate-error.ts'
import type { Arrival, Decision, QueueRefusal, SeenModels } from './arrival.ts'
import type { FairQueue } from './fair-queue.ts'
import type { Turn } from './turn.ts'

/** What llama-swap has loaded, or why that is not known. */
export type Seen = SeenModels | { failure: GateError }

/** While requests wait, what is loaded may change without the gate: by a time to live, or llama-swap's own pages. */
const LOOK_EVERY_MS = 2000
/** A key that may not load models is judged by what was seen at most this long ago. */
const SEEN_MS = 1000

/** They are in no queue yet, so the queue's own bound does not hold for them. */
const MOST_AWAITING_LOOK = 256

type Pending = { arrival: Arrival; on: Parameters<Turn['wait']>[0] }

/** Carries out what the queue decides: one timer for all, and a look at llama-swap while somebody waits. */
export class Dispatcher {
  readonly #queue: FairQueue
  readonly #clock: Clock
  readonly #look: () => Promise<Seen>
  readonly #waiting = new Map<string, Pending>()
  #seenAt = -Infinity
  #lookedAt = -Infinity
  #looking: Promise<Seen> | undefined
  #cancelTimer: (() => void) | undefined
  #isDraining = false
  #awaitingLook = 0

  constructor(queue: FairQueue, clock: Clock, look: () => Promise<Seen>) {
    this.#queue = queue
    this.#clock = clock
    this.#look = look
  }

  /** A turn for one request; nothing happens before its `wait`. */
  turnFor(arrival: Arrival): Turn {
    const { id } = arrival
    let state: 'new' | 'waiting' | 'started' | 'over' = 'new'
    return {
      wait: (on) => {
        state = 'waiting'
        const granted = (): void => {
          // It left while others were told: its place goes to the next.
          if (state === 'over') return this.#apply(this.#queue.finish(id, 0, this.#clock.now()))
          state = 'started'
          on.granted()
        }
        const refused = (error: GateError): void => {
          state = 'over'
          on.refused(error)
        }
        void this.#arrive({ arrival, on: { granted, refused } }, () => state === 'over')
      },
      answered: () => {
        if (state === 'started') this.#apply(this.#queue.answered(id, this.#clock.now()))
      },
      hasModel: () => this.#queue.isLoaded(arrival.model),
      leave: (tokens) => {
        const before = state
        state = 'over'
        const now = this.#clock.now()
        if (before === 'started') this.#apply(this.#queue.finish(id, tokens, now))
        if (before !== 'waiting' || !this.#waiting.delete(id)) return
        this.#apply(this.#queue.leave(id, now))
      },
    }
  }

  /** Refuses all that wait and all that come: the gate is being stopped. */
  drain(): void {
    this.#isDraining = true
    const now = this.#clock.now()
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { arrival } of waiting) this.#queue.leave(arrival.id, now)
    for (const { on } of waiting) on.refused({ kind: 'draining' })
    this.#arm()
  }

  // Not async for a key that may load models: a free place is taken at once.
  #arrive(waiter: Pending, hasLeft: () => boolean): void | Promise<void> {
    if (waiter.arrival.swap === 'evict' || this.#isFresh()) return this.#enqueue(waiter)
    if (this.#awaitingLook >= MOST_AWAITING_LOOK) return waiter.on.refused({ kind: 'queue-full' })
    this.#awaitingLook++
    return this.#seen().then((seen) => {
      this.#awaitingLook--
      if (hasLeft()) return
      if ('failure' in seen) waiter.on.refused(seen.failure)
      else this.#enqueue(waiter)
    })
  }

  #enqueue(waiter: Pending): void {
    if (this.#isDraining) return waiter.on.refused({ kind: 'draining' })
    this.#waiting.set(waiter.arrival.id, waiter)
    this.#apply(this.#queue.arrive(waiter.arrival, this.#clock.now()))
  }

  #isFresh(): boolean {
    return Math.abs(this.#clock.now() - this.#seenAt) <= SEEN_MS
  }

  /** One question at a time, shared by all who want to know. */
  #seen(): Promise<Seen> {
    if (this.#looking) return this.#looking
    this.#lookedAt = this.#clock.now()
    this.#looking = this.#look()
      .then((seen) => {
        if ('loaded' in seen) {
          const now = this.#clock.now()
          this.#seenAt = now
          this.#apply(this.#queue.observe(seen, now))
        }
        return seen
      })
      .finally(() => {
        this.#looking = undefined
      })
    return this.#looking
  }

  #apply(decisions: readonly Decision[]): void {
    // Told only after all are taken out: who is told may come back with an event of its own.
    const told = decisions.flatMap((decision) => {
      const waiter = this.#waiting.get(decision.id)
      this.#waiting.delete(decision.id)
      return waiter ? [{ decision, waiter }] : []
    })
    for (const { decision, waiter } of told) {
      if (decision.kind === 'start') waiter.on.granted()
      else waiter.on.refused(errorFor(decision.why, waiter.arrival))
    }
    this.#arm()
  }

  #arm(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    if (this.#waiting.size === 0) return
    const now = this.#clock.now()
    const wakeAt = this.#queue.nextWakeAt() ?? Infinity
    const lookAt = this.#looking ? Infinity : this.#lookedAt + LOOK_EVERY_MS
    // At most until the next look, also where the clock was set back.
    const waitMs = Math.max(1, Math.min(wakeAt - now, lookAt - now, LOOK_EVERY_MS))
    this.#cancelTimer = this.#clock.setTimer(waitMs, () => this.#wake())
  }

  #wake(): void {
    const now = this.#clock.now()
    if (Math.abs(now - this.#lookedAt) >= LOOK_EVERY_MS) void this.#seen()
    this.#apply(this.#queue.wake(now))
  }
}

function errorFor(why: QueueRefusal, { model }: Arrival): GateError {
  return why === 'model-not-loaded' ? { kind: why, model } : { kind: why }
}
