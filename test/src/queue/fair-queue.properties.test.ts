import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Arrival, Decision, QueueRules, SwapRight } from '../../../src/queue/arrival.ts'
import { FairQueue } from '../../../src/queue/fair-queue.ts'
import { createResidency } from '../../../src/queue/residency.ts'
import { arrival, ready } from './arrivals.ts'

/** Two that take turns, two that go together but not with those, one that goes with all, and one elsewhere. */
const MODELS = ['a', 'b', 'together-1', 'together-2', 'kept', 'far']
const residency = createResidency(
  [
    {
      id: 'together',
      swap: false,
      exclusive: true,
      persistent: false,
      members: ['together-1', 'together-2'],
    },
    { id: 'kept', swap: true, exclusive: false, persistent: true, members: ['kept'] },
  ],
  (id) => id === 'far',
)
const slotsFor = (model: string): number => (model === 'a' ? 2 : 1)

type Key = Pick<Arrival, 'keyId' | 'presentedKey' | 'weight' | 'maxWaiting' | 'maxRunning'>
const EDGE = { presentedKey: 'edge', weight: 1, maxWaiting: 3, maxRunning: 2 }
/** Three keys, and one that brings the requests of two others. */
const KEYS: Key[] = [
  { keyId: 'wide', presentedKey: 'wide', weight: 1, maxWaiting: 9, maxRunning: undefined },
  { keyId: 'narrow', presentedKey: 'narrow', weight: 3, maxWaiting: 2, maxRunning: 1 },
  { keyId: 'other', presentedKey: 'other', weight: 0.5, maxWaiting: 4, maxRunning: 2 },
  { keyId: 'edge/ann', ...EDGE },
  { keyId: 'edge/ben', ...EDGE },
]

type Step =
  | { kind: 'arrive'; key: Key; model: string; swap: SwapRight; tokens: number; session: string }
  | { kind: 'leave' | 'answered'; pick: number }
  | { kind: 'finish'; pick: number; tokens: number }
  | { kind: 'observe'; loaded: string[] }
  | { kind: 'wait'; ms: number }
  | { kind: 'wakeWhenDue' }

const pick = fc.nat(50)
const ms = fc.integer({ min: 0, max: 30 })
const OWN_STEPS: fc.Arbitrary<Step>[] = [
  fc.record({
    kind: fc.constant('arrive'),
    key: fc.constantFrom(...KEYS),
    model: fc.constantFrom(...MODELS),
    swap: fc.constantFrom('use', 'load', 'evict', 'evict'),
    tokens: fc.nat(100),
    session: fc.constantFrom('s', 't'),
  }),
  fc.record({ kind: fc.constantFrom('leave', 'answered'), pick }),
  fc.record({ kind: fc.constant('finish'), pick, tokens: fc.nat(300) }),
  fc.record({ kind: fc.constant('wait'), ms: fc.oneof(ms, fc.integer({ min: -500, max: 0 })) }),
  fc.record({ kind: fc.constant('wakeWhenDue') }),
]
const OBSERVE: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('observe'),
  loaded: fc.subarray(MODELS),
})
const steps = (of: fc.Arbitrary<Step>[]): fc.Arbitrary<Step[]> =>
  fc.array(fc.oneof({ arbitrary: of[0]!, weight: 3 }, ...of), { maxLength: 80, size: 'max' })

const someRules: fc.Arbitrary<QueueRules> = fc.record({
  slotsFor: fc.constant(slotsFor),
  limitFor: fc.constant(() => Infinity),
  maxWaiting: fc.integer({ min: 0, max: 8 }),
  maxWaitMs: fc.integer({ min: 1, max: 200 }),
  maxModelWaitMs: fc.constantFrom(0, 10, 60),
  minResidencyMs: fc.constantFrom(0, 20),
  idleMs: fc.constantFrom(0, 5),
  quantumTokens: fc.constantFrom(0, 150),
})

/** Plays steps against a queue, and keeps books of its own about what the queue decides. */
class Play {
  readonly queue: FairQueue
  readonly waiting = new Map<string, { arrival: Arrival; since: number }>()
  readonly running = new Map<string, Arrival>()
  readonly #rules: QueueRules
  readonly #ended = new Set<string>()
  /** What the wall clock shows, and how far it has gone forward in all. */
  now = 1_000
  #elapsed = 0
  #ids = 0

  constructor(rules: QueueRules) {
    this.#rules = rules
    this.queue = new FairQueue(rules, residency)
  }

  do(step: Step): void {
    switch (step.kind) {
      case 'arrive':
        return this.#arrive(arrival(`${this.#ids++}`, { ...step, ...step.key }))
      case 'leave':
        return this.#leave(nth(this.waiting, step.pick))
      case 'answered':
        return this.#take(this.queue.answered(nth(this.running, step.pick), this.now))
      case 'finish':
        return this.finish(nth(this.running, step.pick), step.tokens)
      case 'observe':
        return this.#take(this.queue.observe(ready(...step.loaded), this.now))
      case 'wait':
        return this.wait(step.ms)
      case 'wakeWhenDue':
        return this.wait((this.queue.nextWakeAt() ?? this.now) - this.now)
    }
  }

  wait(forMs: number): void {
    this.now += forMs
    this.#elapsed += Math.max(0, forMs)
    this.#take(this.queue.wake(this.now))
  }

  finish(id: string, tokens: number): void {
    if (this.running.delete(id)) this.#ended.add(id)
    this.#take(this.queue.finish(id, tokens, this.now))
  }

  #arrive(one: Arrival): void {
    this.waiting.set(one.id, { arrival: one, since: this.#elapsed })
    this.#take(this.queue.arrive(one, this.now))
  }

  #leave(id: string): void {
    if (this.waiting.delete(id)) this.#ended.add(id)
    this.#take(this.queue.leave(id, this.now))
  }

  #take(decisions: Decision[]): void {
    for (const { kind, id } of decisions) {
      const waiter = this.waiting.get(id)
      if (waiter === undefined || this.#ended.has(id)) throw new Error(`${id} has its end already`)
      this.waiting.delete(id)
      if (kind === 'start') this.running.set(id, waiter.arrival)
      else this.#ended.add(id)
    }
  }

  runningOf(by: 'model' | 'presentedKey', value: string): number {
    return [...this.running.values()].filter((one) => one[by] === value).length
  }

  /** What is wrong now; each entry would be a bug. */
  faults(): string[] {
    return [...this.#overfull(), ...this.#forgotten(), ...this.#idleSlots(), ...this.#sleep()]
  }

  #overfull(): string[] {
    const faults = MODELS.filter((model) => this.runningOf('model', model) > slotsFor(model))
    for (const { keyId, presentedKey, maxRunning = Infinity, maxWaiting } of KEYS) {
      if (this.runningOf('presentedKey', presentedKey) > maxRunning)
        faults.push(`${presentedKey} runs too many`)
      const own = [...this.waiting.values()].filter((one) => one.arrival.keyId === keyId)
      if (own.length > maxWaiting) faults.push(`${keyId} waits with too many`)
    }
    if (this.waiting.size > this.#rules.maxWaiting) faults.push('too many wait')
    return faults
  }

  #forgotten(): string[] {
    const { resident, drainingFor, waitingByKey } = this.queue.snapshot()
    const wanted = [...this.waiting.values()].map((one) => one.arrival)
    const faults = wanted
      .filter(({ swap, model }) => swap === 'use' && !resident.includes(model))
      .map(({ id }) => `${id} waits for a model that it may not load`)
    for (const [id, { since }] of this.waiting)
      if (this.#elapsed - since >= this.#rules.maxWaitMs) faults.push(`${id} waits too long`)
    if (drainingFor !== undefined) {
      const asks = wanted.some(({ model, swap }) => model === drainingFor && swap === 'evict')
      if (!asks) faults.push(`nobody who may asks for ${drainingFor}`)
    }
    for (const { keyId } of KEYS) {
      const own = wanted.filter((one) => one.keyId === keyId)
      if ((waitingByKey[keyId] ?? 0) !== own.length)
        faults.push(`the queue counts others of ${keyId} than wait`)
    }
    return faults
  }

  /** Work conservation: requests that could be served now and are not. */
  #idleSlots(): string[] {
    const { resident, drainingFor } = this.queue.snapshot()
    const isFree = ({ presentedKey, maxRunning = Infinity, model, swap }: Arrival): boolean => {
      if (this.runningOf('presentedKey', presentedKey) >= maxRunning) return false
      if (drainingFor !== undefined && residency.evicts(drainingFor, model)) return false
      if (resident.includes(model)) return this.runningOf('model', model) < slotsFor(model)
      return swap !== 'use' && !resident.some((loaded) => residency.evicts(model, loaded))
    }
    return [...this.waiting.values()]
      .filter((one) => isFree(one.arrival))
      .map((one) => `${one.arrival.id} waits for nothing`)
  }

  #sleep(): string[] {
    const wakeAt = this.queue.nextWakeAt()
    if (wakeAt === undefined) return this.waiting.size > 0 ? ['nobody will wake it'] : []
    return wakeAt > this.now ? [] : ['it wants to be woken in the past']
  }

  /** Pairs of models that run at the same time although each puts the other out. */
  clashes(): string[] {
    const models = [...new Set([...this.running.values()].map(({ model }) => model))]
    return models.flatMap((one) =>
      models
        .filter((other) => residency.evicts(one, other) && residency.evicts(other, one))
        .map((other) => `${one} and ${other}`),
    )
  }
}

/** One of the ids, or one that is not known. */
function nth(ids: ReadonlyMap<string, unknown>, index: number): string {
  return [...ids.keys()][index % (ids.size + 1)] ?? 'unknown'
}

describe('whatever happens, in whatever order', () => {
  test('bounds hold, slots are used, and nobody is forgotten', () => {
    fc.assert(
      fc.property(someRules, steps([...OWN_STEPS, OBSERVE]), (rules, all) => {
        const play = new Play(rules)
        for (const step of all) {
          play.do(step)
          expect(play.faults()).toEqual([])
        }
      }),
      { numRuns: 400 },
    )
  })

  test('two models that put each other out never run together, as long as nobody else loads one', () => {
    fc.assert(
      fc.property(someRules, steps(OWN_STEPS), (rules, all) => {
        const play = new Play(rules)
        for (const step of all) {
          play.do(step)
          expect(play.clashes()).toEqual([])
        }
      }),
      { numRuns: 400 },
    )
  })

  test('waking it when it asks for it ends the waiting of all, although nothing else happens', () => {
    fc.assert(
      fc.property(someRules, steps([...OWN_STEPS, OBSERVE]), (rules, all) => {
        const play = new Play(rules)
        for (const step of all) play.do(step)
        let wakes = 0
        for (; play.queue.nextWakeAt() !== undefined && wakes < 1_000; wakes++)
          play.do({ kind: 'wakeWhenDue' })
        // Each waiting request is a reason to wake for its own sake, and for the model it wants: twice.
        expect(wakes).toBeLessThanOrEqual(3 * 8)
        for (const id of play.running.keys()) play.finish(id, 1)
        expect([play.waiting.size, play.queue.snapshot().runningByModel]).toEqual([0, {}])
      }),
      { numRuns: 200 },
    )
  })
})

describe('two keys that always want more', () => {
  const RUNS = 60
  type Backlog = { weights: [number, number]; tokens: number[]; sessions: boolean; quantum: number }
  const backlog: fc.Arbitrary<Backlog> = fc.record({
    // Powers of two, so that sums of shares are exact.
    weights: fc.tuple(fc.constantFrom(0.5, 1, 4), fc.constantFrom(0.5, 1, 4)),
    tokens: fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 7 }),
    sessions: fc.boolean(),
    quantum: fc.constantFrom(0, 500, 5_000),
  })

  /** Serves both for a while on one model; tells the largest difference of their service in tokens per weight. */
  function largestGap({ weights, tokens, sessions, quantum }: Backlog): number {
    const rules = {
      maxWaiting: 99,
      maxWaitMs: 1e9,
      maxModelWaitMs: 0,
      minResidencyMs: 0,
      idleMs: 0,
    }
    const queue = new FairQueue(
      { ...rules, slotsFor: () => 1, limitFor: () => Infinity, quantumTokens: quantum },
      residency,
    )
    const served = [0, 0]
    const owner = new Map<string, number>()
    const send = (key: number): Decision[] => {
      const id = `${owner.size}`
      owner.set(id, key)
      const session = sessions ? `${owner.size % 2}` : undefined
      // The estimate is wrong: only what was really used counts.
      const given = { keyId: `${key}`, weight: weights[key] ?? 1, session, tokens: 500 }
      return queue.arrive(arrival(id, given), 0)
    }
    let current = [0, 1, 0, 1, 0, 1].flatMap(send)[0]?.id ?? ''
    let gap = 0
    for (let run = 0; run < RUNS; run++) {
      const key = owner.get(current) ?? 0
      const used = tokens[run % tokens.length] ?? 1
      send(key)
      served[key] = (served[key] ?? 0) + used / (weights[key] ?? 1)
      gap = Math.max(gap, Math.abs((served[0] ?? 0) - (served[1] ?? 0)))
      current = queue.finish(current, used, 0)[0]?.id ?? ''
    }
    return gap
  }

  test('get the same by weight, but for one request each and the quantum', () => {
    fc.assert(
      fc.property(backlog, (given) => {
        const least = Math.min(...given.weights)
        // The first request starts alone, and its key is taken for as far ahead as it was guessed to be.
        const oneEach = (Math.max(...given.tokens) + 500) / least
        expect(largestGap(given)).toBeLessThanOrEqual(oneEach + given.quantum / least)
      }),
      { numRuns: 300 },
    )
  })
})
