import type { QueueRules } from './arrival.ts'
import type { ResidentModel, ResidentModels } from './resident-models.ts'
import { drainAt, residencyEndsAt, swapAt } from './swap-times.ts'
import type { Waiter } from './waiter.ts'

/** A model that is not loaded, stood for by the request that has waited for it longest, and what it would put out. */
export type SwapWish = { waiter: Waiter; model: string; inTheWay: ResidentModel[] }

/**
 * Chooses the model that others are put out for. It is given the requests that wait and whose key may run one more, in the
 * order in which they came: the first of a model is the one that has waited for it longest. Times are elapsed milliseconds.
 */
export class SwapChoice {
  readonly #rules: QueueRules
  readonly #models: ResidentModels
  // Kept between events: a drain that was begun goes on, or two models could put each other off for ever.
  #drainingFor: string | undefined

  constructor(rules: QueueRules, models: ResidentModels) {
    this.#rules = rules
    this.#models = models
  }

  /** The model for which others get no new requests. */
  get drainingFor(): string | undefined {
    return this.#drainingFor
  }

  /** Whether a model gets no new requests, so that it can make room. */
  isDrained(model: string): boolean {
    return this.#drainingFor !== undefined && this.#models.evicts(this.#drainingFor, model)
  }

  /** Chooses the model that others must make room for, if the time of one has come. */
  chooseDrain(waiters: readonly Waiter[], now: number): void {
    this.#drainingFor = this.#dueForDrain(waiters, now)
  }

  /** The next model that may have the place of others which have nothing to do. */
  nextSwap(waiters: readonly Waiter[], now: number): SwapWish | undefined {
    return this.#wishes(waiters).find(
      ({ waiter, inTheWay }) => swapAt(waiter, inTheWay, this.#rules) <= now,
    )
  }

  /** When a drain or a swap may be due. */
  times(waiters: readonly Waiter[]): number[] {
    return this.#wishes(waiters).flatMap(({ waiter, inTheWay }) => [
      drainAt(waiter, inTheWay, this.#rules),
      swapAt(waiter, inTheWay, this.#rules),
    ])
  }

  #dueForDrain(waiters: readonly Waiter[], now: number): string | undefined {
    const wishes = this.#wishes(waiters)
    const begun = wishes.find(({ model }) => model === this.#drainingFor)
    if (begun && residencyEndsAt(begun.inTheWay, this.#rules) <= now) return begun.model
    return wishes.find(({ waiter, inTheWay }) => drainAt(waiter, inTheWay, this.#rules) <= now)
      ?.model
  }

  /**
   * What models could be swapped in: the one for which others are drained, then by age. One that an earlier one would put
   * out again is left out; it would only make that one wait longer.
   */
  #wishes(waiters: readonly Waiter[]): SwapWish[] {
    const wishes = new Map<string, SwapWish>()
    for (const waiter of waiters) {
      const { model, swap } = waiter.arrival
      if (swap !== 'evict' || wishes.has(model) || this.#models.get(model)) continue
      const inTheWay = this.#models.inTheWayOf(model)
      if (inTheWay.length > 0) wishes.set(model, { waiter, model, inTheWay })
    }
    const byAge = [...wishes.values()]
    const begun = byAge.filter(({ model }) => model === this.#drainingFor)
    const ordered = [...begun, ...byAge.filter(({ model }) => model !== this.#drainingFor)]
    return ordered.filter(
      ({ model }, index) =>
        !ordered.slice(0, index).some((earlier) => this.#models.evicts(earlier.model, model)),
    )
  }
}
