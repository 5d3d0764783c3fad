import type { Arrival, Residency, SeenModels } from './arrival.ts'

/** A model that is believed to be loaded, or to be on its way. Times are elapsed milliseconds. */
export type ResidentModel = {
  readonly model: string
  running: number
  /** How many of those take a slot. */
  slotsTaken: number
  /** False while it is being loaded for a request of ours that upstream has not answered. */
  isLoaded: boolean
  /** When it first answered, or when it was started as long as it has not. */
  since: number
  /** When its last request ended. */
  idleSince: number
  lastKey: string | undefined
  /** Whose prompt prefixes llama-server still has in its slots, oldest first. */
  recent: Pick<Arrival, 'keyId' | 'session'>[]
  /** Tokens of requests that went first for their session since a request last had its turn. */
  jumpedTokens: number
}

/** What is believed to be in the memory of the box. */
export class ResidentModels {
  readonly #residency: Residency
  readonly #models = new Map<string, ResidentModel>()

  constructor(residency: Residency) {
    this.#residency = residency
  }

  get(model: string): ResidentModel | undefined {
    return this.#models.get(model)
  }

  all(): ResidentModel[] {
    return [...this.#models.values()]
  }

  /** Whether loading the one puts the other out. */
  evicts(starting: string, loaded: string): boolean {
    return starting !== loaded && this.#residency.evicts(starting, loaded)
  }

  /** The models that would be put out if `model` were loaded. */
  inTheWayOf(model: string): ResidentModel[] {
    return this.all().filter((resident) => this.evicts(model, resident.model))
  }

  /** A request of ours makes upstream load the model now. */
  load(model: string, now: number): ResidentModel {
    const resident = newModel(model, now)
    this.#models.set(model, resident)
    return resident
  }

  remove(model: string): void {
    this.#models.delete(model)
  }

  /**
   * Takes what upstream says is loaded or loading. It may be older than the requests that we just sent: a model that has
   * some stays, and one that they are about to put out does not come back. Any other that we did not load serves somebody,
   * so its time begins now.
   */
  observe({ loaded, ready }: SeenModels, now: number): void {
    // Answers that are not streamed come late: a model may have been at work for long before the first of them.
    for (const model of ready) {
      const resident = this.#models.get(model)
      if (resident?.isLoaded === false) Object.assign(resident, { isLoaded: true, since: now })
    }
    const listed = new Set(loaded)
    for (const { model, running } of this.all())
      if (running === 0 && !listed.has(model)) this.remove(model)
    for (const model of listed) {
      if (this.#models.has(model) || this.#isBeingPutOut(model)) continue
      this.#models.set(model, { ...newModel(model, now), isLoaded: true })
    }
  }

  #isBeingPutOut(model: string): boolean {
    return this.all().some((starting) => !starting.isLoaded && this.evicts(starting.model, model))
  }
}

function newModel(model: string, now: number): ResidentModel {
  return {
    model,
    running: 0,
    slotsTaken: 0,
    isLoaded: false,
    since: now,
    idleSince: now,
    lastKey: undefined,
    recent: [],
    jumpedTokens: 0,
  }
}
