import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { durationOf, gaugeOf, waitFor } from '../../../src/limit/gcra.ts'
import { START } from './limits.ts'

const rate = { perMinute: 60, burst: 10 }
const now = START

describe('the wait for a cost', () => {
  test.each([
    ['nothing was taken yet', { cost: 1, tat: 0 }, 0],
    ['all of the burst is there', { cost: 10, tat: now }, 0],
    ['the rest of the burst is just enough', { cost: 4, tat: now + 6000 }, 0],
    ['one unit is missing', { cost: 5, tat: now + 6000 }, 1000],
    ['part of a unit is missing, and rounds up', { cost: 4, tat: now + 6100.5 }, 101],
    ['the key is in debt', { cost: 1, tat: now + 100_000 }, 91_000],
    ['more than the burst is asked of a full bucket', { cost: 11, tat: now }, 0],
    ['more than the burst is asked of a bucket that is not full', { cost: 11, tat: now + 1 }, 0],
    ['more than the burst is asked a second after', { cost: 11, tat: now + 1000 }, 1000],
    ['nothing is asked', { cost: 0, tat: now + 10_000 }, 0],
  ])('is right where %s', (_, { cost, tat }, wait) => {
    expect(waitFor(cost, tat, { rate, now })).toBe(wait)
  })

  test('is enough, and two milliseconds less are not', () => {
    const rates = fc.record({
      perMinute: fc.integer({ min: 1, max: 5000 }),
      burst: fc.integer({ min: 1, max: 5000 }),
    })
    const costs = fc.integer({ min: 1, max: 10_000 })
    const owed = fc.double({ min: 0, max: 1e7, noNaN: true })
    fc.assert(
      fc.property(rates, costs, owed, (some, cost, owedMs) => {
        const waitAt = (at: number): number =>
          waitFor(cost, START + owedMs, { rate: some, now: at })
        const wait = waitAt(now)
        fc.pre(wait > 2)
        expect([waitAt(now + wait), waitAt(now + wait - 2) > 0]).toEqual([0, true])
      }),
    )
  })

  test('never refuses the last unit of a burst for a rounding error', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 1000 }),
        (perMinute, burst) => {
          const some = { perMinute, burst }
          let tat = now
          for (let taken = 0; taken < burst; taken++) {
            expect(waitFor(1, tat, { rate: some, now })).toBe(0)
            tat += durationOf(1, some)
          }
          expect(waitFor(1, tat, { rate: some, now })).toBeGreaterThan(0)
        },
      ),
      { numRuns: 30 },
    )
  })
})

describe('the gauge', () => {
  test.each([
    ['a key that took nothing', 0, { limit: 60, remaining: 10, resetMs: 0 }],
    ['one unit taken', now + 1000, { limit: 60, remaining: 9, resetMs: 1000 }],
    ['half a unit taken', now + 500, { limit: 60, remaining: 9, resetMs: 500 }],
    ['an empty bucket', now + 10_000, { limit: 60, remaining: 0, resetMs: 10_000 }],
    ['debt', now + 70_000.2, { limit: 60, remaining: 0, resetMs: 70_001 }],
  ])('tells %s', (_, tat, gauge) => {
    expect(gaugeOf(tat, { rate, now })).toEqual(gauge)
  })
})
