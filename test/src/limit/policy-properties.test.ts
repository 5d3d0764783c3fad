import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { durationOf, type Rate } from '../../../src/limit/gcra.ts'
import {
  newKeyState,
  readKeyState,
  writeKeyState,
  type KeyState,
} from '../../../src/limit/key-state.ts'
import { tatOf } from '../../../src/limit/ledger.ts'
import type { Admitted } from '../../../src/limit/limit-store.ts'
import { admit, peek, release, renew, settle } from '../../../src/limit/policy.ts'
import { limitsOf, START } from './limits.ts'

const REQUESTS: Rate = { perMinute: 240, burst: 7 }
const TOKENS: Rate = { perMinute: 5000, burst: 5000 }
const LIMITS = limitsOf({
  requestsPerMinute: 240,
  burst: 7,
  tokensPerMinute: 5000,
  tokensPerDay: 60_000,
})
const MAX_LEASES = 6

/** Sums of fractions on both sides differ by less, in milliseconds. */
const ROUNDING_MS = 0.02

/** The policy lets pass whoever is less than this early, in units. */
const ROUNDING_UNITS = 0.1

type End =
  | { kind: 'settle'; which: number; tokens: number }
  | { kind: 'release'; which: number }
  | { kind: 'renew'; which: number }
type Event =
  | { kind: 'admit'; tokens: number }
  | End
  | { kind: 'peek' }
  | { kind: 'pass'; ms: number }
  | { kind: 'jump'; ms: number }

const tokens = fc.oneof(fc.nat(1500), fc.nat(12_000))
const which = fc.nat(20)
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('admit' as const), tokens }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const), which, tokens }) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ kind: fc.constant('release' as const), which }),
      fc.record({ kind: fc.constant('renew' as const), which }),
    ),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('peek' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.oneof(fc.nat(500), fc.nat(20_000), fc.nat(90_000)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('jump' as const),
      ms: fc.integer({ min: -2 * 86_400_000, max: 2 * 86_400_000 }),
    }),
  },
)
const history = fc.array(event, { minLength: 1, maxLength: 60 })

/** One admitted request with what is known of its costs so far. */
type Taken = { leaseId: string; at: number; requests: number; tokens: number; isOpen: boolean }

/** Runs a history on one key, beside a plain list of everything that was ever admitted. */
class Run {
  state: KeyState = newKeyState(START)
  now = START
  /** Time in which something can flow in: what the clock moved forward between two looks at the key. */
  elapsed = 0
  seenAt = START
  taken: Taken[] = []

  apply(step: Event): Admitted | undefined {
    if (step.kind === 'pass' || step.kind === 'jump') {
      this.now += step.ms
      return undefined
    }
    this.elapsed += Math.max(0, this.now - this.seenAt)
    this.seenAt = this.now
    if (step.kind === 'admit') return this.admit(step.tokens)
    if (step.kind === 'peek') peek(this.state, LIMITS, this.now)
    else this.end(step)
    return undefined
  }

  private admit(wanted: number): Admitted {
    const leaseId = `lease ${this.taken.length}`
    const admission = { keyId: 'k', limits: LIMITS, leaseId, tokens: wanted, maxLeases: MAX_LEASES }
    const admitted = admit(this.state, admission, this.now)
    if (admitted.ok)
      this.taken.push({ leaseId, at: this.elapsed, requests: 1, tokens: wanted, isOpen: true })
    return admitted
  }

  private end(step: End): void {
    const taken = this.taken[step.which % Math.max(1, this.taken.length)]
    if (!taken) return
    const lease = { keyId: 'k', limits: LIMITS, leaseId: taken.leaseId }
    if (step.kind === 'renew') renew(this.state, lease, this.now)
    else if (step.kind === 'release') {
      if (release(this.state, lease, this.now)) Object.assign(taken, { requests: 0, tokens: 0 })
    } else if (settle(this.state, { ...lease, tokens: step.tokens }, this.now)) {
      taken.tokens = step.tokens
    }
  }

  /** Milliseconds until all is earned back, replayed with the real costs. */
  owed(what: 'requests' | 'tokens', rate: Rate): number {
    const tat = this.taken.reduce(
      (before, it) => Math.max(before, it.at) + durationOf(it[what], rate),
      0,
    )
    return Math.max(0, tat - this.elapsed)
  }
}

/** By how many units the window that is worst for the newest request is over what may pass in it. */
function excess(run: Run, what: 'requests' | 'tokens', rate: Rate): number {
  const newest = run.taken.at(-1)!
  let sum = Math.min(newest[what], rate.burst)
  let worst = -Infinity
  for (const { at, ...costs } of run.taken.slice(0, -1).toReversed()) {
    sum += costs[what]
    worst = Math.max(worst, sum - rate.burst - (run.elapsed - at) / durationOf(1, rate))
  }
  return worst
}

describe('whatever happens, in whatever order, while the clock jumps both ways', () => {
  test('a key owes exactly what it would if all costs had been known from the start', () => {
    fc.assert(
      fc.property(history, (events) => {
        const run = new Run()
        for (const step of events) {
          run.apply(step)
          const owed = (tat: number): number => Math.max(0, tat - run.state.seenAt)
          const differences = [
            owed(tatOf(run.state.requests)) - run.owed('requests', REQUESTS),
            owed(tatOf(run.state.tokens)) - run.owed('tokens', TOKENS),
          ]
          expect(differences.map((ms) => Math.abs(ms) < ROUNDING_MS)).toEqual([true, true])
        }
      }),
      { numRuns: 500 },
    )
  })

  /**
   * What holds: when a request is admitted, then in every window that ends there, all requests together, with the
   * costs that are known then, took at most the burst and what flowed in; of a request that is larger than the burst,
   * only the burst counts, because it is admitted when all of that is there. A debt that becomes known later may
   * exceed a window after the fact; it counts in full against the next request.
   */
  test('no window lets more through than the burst and what flowed in', () => {
    fc.assert(
      fc.property(history, (events) => {
        const run = new Run()
        for (const step of events) {
          const hasPassed = run.apply(step)?.ok === true
          const isOver = (['requests', 'tokens'] as const).filter(
            (what) =>
              hasPassed &&
              run.taken.at(-1)![what] > 0 &&
              excess(run, what, what === 'requests' ? REQUESTS : TOKENS) > ROUNDING_UNITS,
          )
          expect(isOver).toEqual([])
        }
      }),
      { numRuns: 500 },
    )
  })

  test('a refusal leaves the state as it is without it', () => {
    fc.assert(
      fc.property(history, tokens, (events, wanted) => {
        const run = new Run()
        for (const step of events) run.apply(step)
        const admission = { keyId: 'k', limits: LIMITS, leaseId: 'x', tokens: wanted, maxLeases: 1 }
        const looked = structuredClone(run.state)
        const standing = peek(looked, LIMITS, run.now)
        const admitted = admit(run.state, admission, run.now)
        fc.pre(!admitted.ok)
        expect([run.state, admitted.standing]).toEqual([looked, standing])
      }),
      { numRuns: 500 },
    )
  })

  test('a refused request passes after the wait that it was told, if nothing else happens', () => {
    fc.assert(
      fc.property(history, tokens, (events, wanted) => {
        const run = new Run()
        for (const step of events) run.apply(step)
        const admission = {
          keyId: 'k',
          limits: LIMITS,
          leaseId: 'x',
          tokens: wanted,
          maxLeases: undefined,
        }
        const refused = admit(run.state, admission, run.now)
        fc.pre(!refused.ok)
        const waitMs = refused.ok ? 0 : refused.retryAfterMs
        expect(admit(run.state, admission, run.now + waitMs).ok).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('a key has never more living leases than it may, and never less than nothing of anything', () => {
    fc.assert(
      fc.property(history, (events) => {
        const run = new Run()
        for (const step of events) {
          const admitted = run.apply(step)
          const living = run.state.leases.filter(({ expiresAt }) => expiresAt > run.seenAt)
          const { requests, tokens: left } = peek(structuredClone(run.state), LIMITS, run.now)
          expect([
            admitted?.ok === true && living.length > MAX_LEASES,
            run.state.day.used >= 0,
            requests!.remaining >= 0 && requests!.remaining <= REQUESTS.burst,
            left!.remaining >= 0 && left!.remaining <= TOKENS.burst,
          ]).toEqual([false, true, true, true])
        }
      }),
      { numRuns: 300 },
    )
  })

  test('going through JSON after every step changes nothing', () => {
    fc.assert(
      fc.property(history, (events) => {
        const straight = new Run()
        const saved = new Run()
        const answers = events.map((step) => {
          saved.state = readKeyState(writeKeyState(saved.state))!
          return [saved.apply(step), straight.apply(step)]
        })
        expect([saved.state, answers.map(([answer]) => answer)]).toEqual([
          straight.state,
          answers.map(([, answer]) => answer),
        ])
      }),
      { numRuns: 300 },
    )
  })
})
