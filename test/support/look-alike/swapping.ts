/** How the look-alike swaps models. */
export type Swapping = {
  /** How long a model takes to load. */
  swapMs: number
  /** Models that stay beside each other: a group with `swap: false`. */
  together?: readonly string[]
}

type Waiter = { model: string; enter: () => void }

/**
 * llama-swap's scheduler. Who asks for a model that is ready is served at once; others wait, in the order in which they came,
 * until nothing is under way on the models that theirs would put out. So a model that is never idle starves the others.
 */
export class SwapSchedule {
  readonly #swapping: Swapping
  readonly #inFlight = new Map<string, number>()
  readonly #states = new Map<string, 'starting' | 'ready'>()
  #waiting: Waiter[] = []
  #loads: string[] = []
  /** What began before a reset no longer counts. */
  #era = 0

  constructor(swapping: Swapping) {
    this.#swapping = swapping
  }

  /** The models that were loaded since the start or the last reset, in order. */
  get loads(): readonly string[] {
    return this.#loads
  }

  /** What `/running` tells. */
  running(): { model: string; state: string }[] {
    return [...this.#states].map(([model, state]) => ({ model, state }))
  }

  /** As after a start at which one model was loaded, or none. */
  reset(loaded: string | undefined): void {
    this.#era++
    this.#inFlight.clear()
    this.#states.clear()
    this.#waiting = []
    this.#loads = []
    if (loaded !== undefined) this.#states.set(loaded, 'ready')
  }

  /** Waits until a model serves; the answer must be called once, when the request is over. */
  async enter(model: string, gone: AbortSignal): Promise<() => void> {
    const era = this.#era
    if (this.#states.get(model) !== 'ready') await this.#turn(model, gone)
    let isOver = gone.aborted
    if (!isOver) this.#count(model, 1)
    return () => {
      if (isOver || era !== this.#era) return
      isOver = true
      this.#count(model, -1)
      this.#proceed()
    }
  }

  /** Resolves when the model is ready, or the request has gone. */
  #turn(model: string, gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiter = { model, enter: resolve }
      this.#waiting.push(waiter)
      gone.addEventListener('abort', () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter)
        resolve()
      })
      this.#proceed()
    })
  }

  /** Loads the model of the first who waits, if those in its way have nothing to do. */
  #proceed(): void {
    const [first] = this.#waiting
    if (first === undefined || this.#states.has(first.model)) return
    const inTheWay = [...this.#states.keys()].filter((loaded) => this.#evicts(first.model, loaded))
    if (inTheWay.some((loaded) => this.#isBusy(loaded))) return
    for (const loaded of inTheWay) this.#states.delete(loaded)
    this.#load(first.model)
  }

  #load(model: string): void {
    const era = this.#era
    this.#states.set(model, 'starting')
    this.#loads.push(model)
    setTimeout(() => {
      if (era !== this.#era) return
      this.#states.set(model, 'ready')
      const entering = this.#waiting.filter((waiter) => waiter.model === model)
      this.#waiting = this.#waiting.filter((waiter) => waiter.model !== model)
      for (const { enter } of entering) enter()
      // After those who enter have been counted.
      setImmediate(() => this.#proceed())
    }, this.#swapping.swapMs)
  }

  #evicts(starting: string, loaded: string): boolean {
    const { together = [] } = this.#swapping
    return !(together.includes(starting) && together.includes(loaded))
  }

  /** A load that has begun is finished, whoever waits. */
  #isBusy(model: string): boolean {
    return this.#states.get(model) === 'starting' || (this.#inFlight.get(model) ?? 0) > 0
  }

  #count(model: string, change: number): void {
    this.#inFlight.set(model, (this.#inFlight.get(model) ?? 0) + change)
  }
}
