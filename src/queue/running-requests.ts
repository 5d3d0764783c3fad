import type { Arrival } from './arrival.ts'

/** The requests that were started and have not ended, and how many of them each presented key brought. */
export class RunningRequests {
  readonly #running = new Map<string, Arrival>()
  readonly #counts = new Map<string, number>()

  get(id: string): Arrival | undefined {
    return this.#running.get(id)
  }

  has(id: string): boolean {
    return this.#running.has(id)
  }

  /** A request was started; its id must be new. */
  add(arrival: Arrival): void {
    this.#running.set(arrival.id, arrival)
    this.#counts.set(arrival.presentedKey, this.#countOf(arrival) + 1)
  }

  /** A request has ended. Gives it back, where it was known. */
  remove(id: string): Arrival | undefined {
    const arrival = this.#running.get(id)
    if (arrival === undefined) return undefined
    this.#running.delete(id)
    const left = this.#countOf(arrival) - 1
    if (left > 0) this.#counts.set(arrival.presentedKey, left)
    else this.#counts.delete(arrival.presentedKey)
    return arrival
  }

  /** Whether the key that was presented may run this one, too. */
  hasRoomFor(arrival: Arrival): boolean {
    return this.#countOf(arrival) < (arrival.maxRunning ?? Infinity)
  }

  #countOf({ presentedKey }: Arrival): number {
    return this.#counts.get(presentedKey) ?? 0
  }
}
