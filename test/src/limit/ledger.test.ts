import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { close, emptyLedger, shift, take, tatOf, type Ledger } from '../../../src/limit/ledger.ts'

const taken = (...takes: Array<[leaseId: string, at: number, costMs: number]>): Ledger => {
  const ledger = emptyLedger()
  for (const [leaseId, now, costMs] of takes) take(ledger, leaseId, { costMs, now })
  return ledger
}

describe('correcting a cost', () => {
  test('gives back all that a bucket still owes', () => {
    const ledger = taken(['a', 1000, 600])
    close(ledger, 'a', 100)
    expect(ledger).toEqual({ tat: 1100, steps: [] })
  })

  test('gives nothing back of what had been earned again before the next one came', () => {
    const ledger = taken(['a', 1000, 600], ['b', 5000, 300])
    close(ledger, 'a', 0)
    expect(tatOf(ledger)).toBe(5300)
  })

  test('gives back the part that the next one had to stand behind', () => {
    const ledger = taken(['a', 1000, 600], ['b', 1200, 300])
    expect(tatOf(ledger)).toBe(1900)
    close(ledger, 'a', 0)
    expect(tatOf(ledger)).toBe(1500)
  })

  test('makes a debt of what is more than was taken', () => {
    const ledger = taken(['a', 1000, 600])
    close(ledger, 'a', 60_000)
    expect(ledger).toEqual({ tat: 61_000, steps: [] })
  })

  test('leaves a ledger as it was before when all is given back', () => {
    const ledger = taken(['a', 1000, 600])
    const before = structuredClone(ledger)
    take(ledger, 'b', { costMs: 50, now: 1100 })
    close(ledger, 'b', 0)
    expect(ledger).toEqual(before)
  })

  test('changes nothing for an unknown lease, or for one that was closed', () => {
    const ledger = taken(['a', 1000, 600], ['b', 1100, 100])
    close(ledger, 'b', 5)
    const before = structuredClone(ledger)
    close(ledger, 'b', 0)
    close(ledger, 'c', 0)
    expect(ledger).toEqual(before)
  })
})

test('closed steps are joined: a ledger holds at most one more step than two per open lease', () => {
  const ledger = taken(['first', 0, 1])
  for (let i = 0; i < 1000; i++) {
    take(ledger, `${i}`, { costMs: 10, now: i * 7 })
    if (i !== 500) close(ledger, `${i}`, 9)
  }
  expect(ledger.steps.map(({ leaseId }) => leaseId)).toEqual(['first', '', '500', ''])
})

test('any history, corrected in any order, is what it would be with the real costs from the start', () => {
  const event = fc.record({
    gapMs: fc.nat(500),
    reserved: fc.nat(1000),
    actual: fc.option(fc.nat(1500), { nil: undefined }),
    closedAfter: fc.nat(12),
    shiftMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(5000)),
  })
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 30 }), (events) => {
      const ledger = emptyLedger()
      /** Takes as they really were, in undisturbed time. */
      const real: Array<{ at: number; costMs: number }> = []
      let at = 100_000
      let back = 0
      events.forEach(({ gapMs, reserved, shiftMs }, i) => {
        at += gapMs
        shift(ledger, -shiftMs)
        back += shiftMs
        take(ledger, `${i}`, { costMs: reserved, now: at - back })
        real.push({ at, costMs: reserved })
        events.slice(0, i + 1).forEach(({ actual, closedAfter, reserved: before }, j) => {
          if (j + closedAfter !== i) return
          close(ledger, `${j}`, actual)
          real[j]!.costMs = actual ?? before
        })
        const replayed = real.reduce((tat, step) => Math.max(tat, step.at) + step.costMs, 0)
        // What has passed is equal: both are a full bucket.
        expect(Math.max(tatOf(ledger), at - back)).toBe(Math.max(replayed, at) - back)
      })
    }),
    { numRuns: 2000 },
  )
})
