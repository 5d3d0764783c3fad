import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { durationOf, gaugeOf, waitFor } from '../../../src/limit/gcra.ts'
import { START } from './limits.ts'

const rate = { perMinute: 60, burst: 10 }
const now = START

describe('the wait for a cost', () => {
  test.each([
    ['nothing was taken yet', 1, 0, 0],
    ['all of the burst is there', 10, now, 0],
    ['the rest of the burst is just enough', 4, now + 6000, 0],
    ['one unit is missing', 5, now + 6000, 1000],
    ['part of a unit is missing, and rounds up', 4, now + 6100.5, 101],
    ['the key is in debt', 1, now + 100_000, 91_000],
    ['more than the burst is asked of a full bucket', 11, now, 0],
    ['more than the burst is asked of a bucket that is not full', 11, now + 1, 0],
    ['more than the burst is asked a second after', 11, now + 1000, 1000],
    ['nothing is asked', 0, now + 10_000, 0],
  ])('is right where %s', (_, cost, tat, wait) => {
    expect(waitFor(cost, tat, { rate, now })).toBe(wait)
  })

  test('is exact: whoever waits so long passes, and a millisecond earlier nobody does', () => {
    const rates = fc.record({
      perMinute: fc.integer({ min: 1, max: 5000 }),
      burst: fc.integer({ min: 1, max: 5000 }),
    })
    fc.assert(
      fc.property(
        rates,
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        (some, cost, owed) => {
          const tat = now + owed
          const wait = waitFor(cost, tat, { rate: some, now })
          fc.pre(wait > 0)
          expect([
            waitFor(cost, tat, { rate: some, now: now + wait }),
            waitFor(cost, tat, { rate: some, now: now + wait - 1 }) > 0,
          ]).toEqual([0, durationOf(0.01, some) < 1 || wait === 1 || isShort(wait, some)])
        },
      ),
    )
  })

  /** Rates so slow that the rounding tolerance is longer than a millisecond let the last moments pass. */
  function isShort(wait: number, some: { perMinute: number; burst: number }): boolean {
    return wait - 1 > durationOf(0.01, some)
  }

  test('never refuses the last unit of a burst for a rounding error', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 1000 }), (perMinute, burst) => {
        const some = { perMinute, burst }
        let tat = now
        for (let taken = 0; taken < burst; taken++) {
          expect(waitFor(1, tat, { rate: some, now })).toBe(0)
          tat += durationOf(1, some)
        }
        expect(waitFor(1, tat, { rate: some, now })).toBeGreaterThan(0)
      }),
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
