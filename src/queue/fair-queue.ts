import type {
  Arrival,
  Decision,
  QueueRefusal,
  QueueRules,
  Residency,
  SeenModels,
} from './arrival.ts'
import { chooseWaiter, type Choice, type ChoiceFacts } from './choose-waiter.ts'
import { ElapsedTime } from './elapsed-time.ts'
import { KeyShares } from './key-shares.ts'
import { ResidentModels, type ResidentModel } from './resident-models.ts'
import { RunningRequests } from './running-requests.ts'
import { SwapChoice } from './swap-choice.ts'
import type { Waiter } from './waiter.ts'

/** The queue at one moment. Each record only has entries above 0. */
export type QueueSnapshot = {
  waitingByKey: Record<string, number>
  runningByModel: Record<string, number>
  /** Models that are believed to be loaded or loading. */
  resident: string[]
  /** The model for which others are being kept from new requests. */
  drainingFor: string | undefined
}

/**
 * Decides who is served when: in turn by what each key has had, and on the model that is loaded for as long as its rules
 * allow. It has no clock and does nothing itself: every event brings the time in milliseconds and gives the decisions that
 * follow from it. The time may jump. Events about requests that it does not know change nothing.
 */
export class FairQueue {
  readonly #rules: QueueRules
  readonly #models: ResidentModels
  readonly #time = new ElapsedTime()
  readonly #shares = new KeyShares()
  // In the order in which they came: the first of a model is the one that has waited for it longest.
  readonly #waiting = new Map<string, Waiter>()
  readonly #running = new RunningRequests()
  readonly #facts: ChoiceFacts
  readonly #swaps: SwapChoice

  constructor(rules: QueueRules, residency: Residency) {
    this.#rules = rules
    this.#models = new ResidentModels(residency)
    this.#swaps = new SwapChoice(rules, this.#models)
    this.#facts = {
      shares: this.#shares,
      residentOf: (model) => this.#models.get(model),
      quantumTokens: rules.quantumTokens,
    }
  }

  /** A request came. Its id must be new; ends in exactly one `start` or `refuse`, unless it leaves before. */
  arrive(arrival: Arrival, now: number): Decision[] {
    this.#time.advance(now)
    const { id, keyId } = arrival
    if (this.#waiting.has(id) || this.#running.has(id)) return this.#settle()
    this.#waiting.set(id, { arrival, since: this.#time.now })
    this.#shares.join(keyId)
    const decisions = this.#settle()
    const why = this.#waiting.has(id) ? this.#overflow(arrival) : undefined
    if (why === undefined) return decisions
    return [...decisions, this.#refuse(arrival, why), ...this.#settle()]
  }

  /** A client went away while its request waited. */
  leave(id: string, now: number): Decision[] {
    this.#time.advance(now)
    const waiter = this.#waiting.get(id)
    if (waiter !== undefined) this.#drop(waiter.arrival)
    return this.#settle()
  }

  /** Upstream began to answer a started request, so its model is loaded. */
  answered(id: string, now: number): Decision[] {
    this.#time.advance(now)
    const arrival = this.#running.get(id)
    const resident = arrival && this.#models.get(arrival.model)
    if (resident?.isLoaded === false) {
      resident.isLoaded = true
      resident.since = this.#time.now
    }
    return this.#settle()
  }

  /** A started request ended, in whatever way; `tokens` is what it really used. */
  finish(id: string, tokens: number, now: number): Decision[] {
    this.#time.advance(now)
    const arrival = this.#running.remove(id)
    if (arrival !== undefined) {
      const { keyId, weight } = arrival
      const estimated = arrival.tokens / weight
      this.#shares.finish(keyId, { estimated, really: tokens / weight })
      const resident = this.#models.get(arrival.model)
      if (resident !== undefined) {
        resident.running--
        if (arrival.needsSlot) resident.slotsTaken--
        resident.idleSince = this.#time.now
      }
    }
    return this.#settle()
  }

  /** Upstream told which models are loaded or loading. */
  observe(seen: SeenModels, now: number): Decision[] {
    this.#time.advance(now)
    this.#models.observe(seen, this.#time.now)
    return this.#settle()
  }

  /** Time has passed. */
  wake(now: number): Decision[] {
    this.#time.advance(now)
    return this.#settle()
  }

  /** When `wake` must be called, on the clock of the last event and later than it; undefined: only events change anything. */
  nextWakeAt(): number | undefined {
    const [oldest] = this.#waiting.values()
    if (oldest === undefined) return undefined
    // What was due already waits for an event, not for time.
    const ahead = this.#swaps.times(this.#withRoom()).filter((time) => time > this.#time.now)
    const next = Math.min(oldest.since + this.#rules.maxWaitMs, ...ahead)
    return next === Infinity ? undefined : this.#time.toWall(next)
  }

  /** Whether a model is believed to be loaded, and not only on its way. */
  isLoaded(model: string): boolean {
    return this.#models.get(model)?.isLoaded ?? false
  }

  snapshot(): QueueSnapshot {
    const resident = this.#models.all()
    const busy = resident.filter(({ running }) => running > 0)
    return {
      waitingByKey: this.#shares.waitingByKey(),
      runningByModel: Object.fromEntries(busy.map(({ model, running }) => [model, running])),
      resident: resident.map(({ model }) => model),
      drainingFor: this.#swaps.drainingFor,
    }
  }

  /** Does all that can be done now. Every step takes at least one request out of the queue. */
  #settle(): Decision[] {
    const decisions: Decision[] = []
    for (;;) {
      this.#swaps.chooseDrain(this.#withRoom(), this.#time.now)
      if (this.#waiting.size === 0) return decisions
      const started = this.#startResident() ?? this.#startBySwap()
      const step = started === undefined ? this.#refuseHopeless() : [started]
      if (step.length === 0) return decisions
      decisions.push(...step)
    }
  }

  /** Starts the next request that puts no model out. */
  #startResident(): Decision | undefined {
    const able = this.#withRoom().filter((waiter) => this.#canStart(waiter))
    const choice = chooseWaiter(able, this.#facts)
    return choice && this.#start(choice)
  }

  /** Puts models that have nothing to do out for the next model that may have their place, and starts a request for it. */
  #startBySwap(): Decision | undefined {
    const waiters = this.#withRoom()
    const wish = this.#swaps.nextSwap(waiters, this.#time.now)
    if (wish === undefined) return undefined
    for (const { model } of wish.inTheWay) this.#models.remove(model)
    const able = waiters.filter(
      (waiter) => waiter.arrival.model === wish.model && this.#canStart(waiter),
    )
    const choice = chooseWaiter(able, this.#facts)
    return choice && this.#start(choice)
  }

  /** Those that wait, and not only for others of their key to end. */
  #withRoom(): Waiter[] {
    return [...this.#waiting.values()].filter(({ arrival }) => this.#running.hasRoomFor(arrival))
  }

  #canStart({ arrival }: Waiter): boolean {
    const { model, swap } = arrival
    if (this.#swaps.isDrained(model)) return false
    const resident = this.#models.get(model)
    if (resident !== undefined) return this.#hasPlace(resident, arrival)
    return swap !== 'use' && this.#models.inTheWayOf(model).length === 0
  }

  #hasPlace({ model, running, slotsTaken }: ResidentModel, { needsSlot }: Arrival): boolean {
    const fitsLimit = running < Math.max(1, this.#rules.limitFor(model))
    return fitsLimit && (!needsSlot || slotsTaken < this.#slots(model))
  }

  /** At least one: a model without slots would be loaded for nobody. */
  #slots(model: string): number {
    return Math.max(1, this.#rules.slotsFor(model))
  }

  #start({ waiter, jumps }: Choice): Decision {
    const { arrival } = waiter
    const { id, keyId, session, model, tokens } = arrival
    this.#waiting.delete(id)
    this.#running.add(arrival)
    this.#shares.start(keyId, tokens / arrival.weight)
    const resident = this.#models.get(model) ?? this.#models.load(model, this.#time.now)
    resident.running++
    resident.lastKey = keyId
    if (!arrival.needsSlot) return { kind: 'start', id }
    resident.slotsTaken++
    resident.jumpedTokens = jumps ? resident.jumpedTokens + tokens : 0
    const others = resident.recent.filter(
      (served) => served.keyId !== keyId || served.session !== session,
    )
    resident.recent = [...others, { keyId, session }].slice(-this.#slots(model))
    return { kind: 'start', id }
  }

  /** Refuses those that have waited too long, and those whose model is gone and that may not load it. */
  #refuseHopeless(): Decision[] {
    return [...this.#waiting.values()].flatMap((waiter) => {
      const why = this.#hopeless(waiter)
      return why === undefined ? [] : [this.#refuse(waiter.arrival, why)]
    })
  }

  #hopeless({ arrival, since }: Waiter): QueueRefusal | undefined {
    const { model, swap } = arrival
    if (swap !== 'evict' && this.#models.get(model) === undefined) {
      const isInTheWay = swap === 'use' || this.#models.inTheWayOf(model).length > 0
      if (isInTheWay) return 'model-not-loaded'
    }
    return this.#time.now >= since + this.#rules.maxWaitMs ? 'waited-too-long' : undefined
  }

  #overflow({ keyId, maxWaiting }: Arrival): QueueRefusal | undefined {
    // Requests of which more may wait do not take the places of others.
    const alike = [...this.#waiting.values()].filter(
      ({ arrival }) => arrival.keyId === keyId && arrival.maxWaiting <= maxWaiting,
    )
    if (alike.length > maxWaiting) return 'key-queue-full'
    return this.#waiting.size > this.#rules.maxWaiting ? 'queue-full' : undefined
  }

  #refuse(arrival: Arrival, why: QueueRefusal): Decision {
    this.#drop(arrival)
    return { kind: 'refuse', id: arrival.id, why }
  }

  #drop({ id, keyId }: Arrival): void {
    this.#waiting.delete(id)
    this.#shares.leave(keyId)
  }
}
