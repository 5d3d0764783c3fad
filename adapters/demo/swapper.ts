import { SLOTS, type DemoModel } from './models.ts'
import { PromptMemory } from './prompt-memory.ts'

/** The right to use the resident model until `release` is called. */
export interface Lease {
  /** Aborts when the model is unloaded under the request. */
  readonly unloaded: AbortSignal
  readonly memory: PromptMemory
  readonly release: () => void
}

/** How a wait for a model ended. */
export type Admission =
  | { readonly kind: 'granted'; readonly lease: Lease }
  | { readonly kind: 'unloaded' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'gone' }

interface Resident {
  readonly model: DemoModel
  readonly memory: PromptMemory
  readonly active: Set<AbortController>
  state: 'starting' | 'ready'
  timer?: ReturnType<typeof setTimeout>
}

interface Waiter {
  readonly model: DemoModel
  readonly settle: (admission: Admission) => void
}

/** llama-swap's `concurrencyLimit` unless it is configured; it counts waiting and running. */
const CONCURRENCY_LIMIT = 10

/**
 * Keeps one model resident, as llama-swap does with a single group: requests for the resident model
 * pass as its slots allow, the others wait in order until nothing is in flight. There is no ageing,
 * so a busy model starves the others; a gate in front is expected to prevent that.
 */
export class Swapper {
  readonly #loadMs: number
  readonly #waiters: Waiter[] = []
  #resident: Resident | undefined

  constructor(loadMs: number) {
    this.#loadMs = loadMs
  }

  /** What `GET /running` shows: the resident model, if any. */
  running(): { model: DemoModel; state: string }[] {
    return this.#resident ? [{ model: this.#resident.model, state: this.#resident.state }] : []
  }

  /** Waits until the model is resident; a client that goes away leaves the queue, not the load. */
  acquire(model: DemoModel, gone: AbortSignal): Promise<Admission> {
    if (gone.aborted) return Promise.resolve({ kind: 'gone' })
    if (this.#countOf(model) >= CONCURRENCY_LIMIT) return Promise.resolve({ kind: 'busy' })
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        resolve({ kind: 'gone' })
      }
      const settle = (admission: Admission): void => {
        gone.removeEventListener('abort', leave)
        resolve(admission)
      }
      const waiter: Waiter = { model, settle }
      gone.addEventListener('abort', leave, { once: true })
      this.#waiters.push(waiter)
      this.#advance()
    })
  }

  /** Stops one model, or all: cuts its requests and fails those that wait for it. */
  unload(model?: DemoModel): void {
    const isTarget = (other: DemoModel): boolean => model === undefined || other === model
    const resident = this.#resident
    if (resident && isTarget(resident.model)) {
      clearTimeout(resident.timer)
      this.#resident = undefined
      for (const request of resident.active) request.abort()
    }
    for (const waiter of this.#take(isTarget)) waiter.settle({ kind: 'unloaded' })
    this.#advance()
  }

  #countOf(model: DemoModel): number {
    const waiting = this.#waiters.filter((waiter) => waiter.model === model).length
    return waiting + (this.#resident?.model === model ? this.#resident.active.size : 0)
  }

  /** Does whatever the state now allows; called after every change of it. */
  #advance(): void {
    const resident = this.#resident
    if (resident?.state === 'starting') return
    if (resident) {
      // Past its slots a llama-server holds requests back without a byte, as a load does.
      const free = SLOTS - resident.active.size
      for (const waiter of this.#take((model) => model === resident.model, free)) {
        waiter.settle({ kind: 'granted', lease: this.#lease(resident) })
      }
      if (resident.active.size > 0) return
    }
    const next = this.#waiters[0]
    if (next) this.#load(next.model)
  }

  #load(model: DemoModel): void {
    const resident: Resident = {
      model,
      memory: new PromptMemory(),
      active: new Set(),
      state: 'starting',
    }
    this.#resident = resident
    resident.timer = setTimeout(() => {
      resident.state = 'ready'
      this.#advance()
    }, this.#loadMs)
  }

  #lease(resident: Resident): Lease {
    const request = new AbortController()
    resident.active.add(request)
    const release = (): void => {
      if (resident.active.delete(request)) this.#advance()
    }
    return { unloaded: request.signal, memory: resident.memory, release }
  }

  #take(isWanted: (model: DemoModel) => boolean, most = this.#waiters.length): Waiter[] {
    const taken = this.#waiters.filter((waiter) => isWanted(waiter.model)).slice(0, most)
    const kept = this.#waiters.filter((waiter) => !taken.includes(waiter))
    this.#waiters.splice(0, this.#waiters.length, ...kept)
    return taken
  }
}
