import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KeyShares } from '../../../src/queue/key-shares.ts'

/** One request from its arrival to its end, at a known cost. */
function serve(shares: KeyShares, keyId: string, cost: number): void {
  shares.join(keyId)
  shares.start(keyId, cost)
  shares.finish(keyId, { estimated: cost, really: cost })
}

describe('a key', () => {
  test('is charged the estimate when it starts and the truth when it ends', () => {
    const shares = new KeyShares()
    shares.join('key')
    shares.join('key')
    expect([shares.served('key'), shares.waitingByKey()['key']]).toEqual([0, 2])
    shares.start('key', 100)
    expect([shares.served('key'), shares.waitingByKey()['key']]).toEqual([100, 1])
    shares.finish('key', { estimated: 100, really: 70 })
    expect([shares.served('key'), shares.waitingByKey()['key']]).toEqual([70, 1])
  })

  test('that comes back is lifted to the least served of the active ones', () => {
    const shares = new KeyShares()
    shares.join('busy')
    serve(shares, 'busy', 500)
    shares.join('busier')
    serve(shares, 'busier', 200)
    shares.join('new')
    expect([shares.served('busy'), shares.served('busier'), shares.served('new')]).toEqual([
      500, 700, 500,
    ])
  })

  test('is not lifted to what is only estimated of others', () => {
    const shares = new KeyShares()
    shares.join('busy')
    serve(shares, 'busy', 20)
    shares.start('busy', 1000)
    shares.join('new')
    expect([shares.served('busy'), shares.served('new')]).toEqual([1020, 20])
  })

  test('that has had more than the others keeps its debt while it is away', () => {
    const shares = new KeyShares()
    shares.join('here')
    serve(shares, 'greedy', 900)
    shares.join('greedy')
    expect([shares.served('here'), shares.served('greedy')]).toEqual([0, 900])
  })

  test('is forgotten when the others have caught up with it', () => {
    const shares = new KeyShares()
    shares.join('here')
    shares.join('here')
    serve(shares, 'guest', 300)
    expect(shares.size).toBe(2)
    shares.start('here', 300)
    shares.finish('here', { estimated: 300, really: 300 })
    serve(shares, 'other', 1)
    expect([shares.served('guest'), shares.served('other'), shares.size]).toEqual([0, 301, 2])
  })

  test('is owed nothing once nobody is active', () => {
    const shares = new KeyShares()
    shares.join('one')
    serve(shares, 'two', 900)
    shares.leave('one')
    expect(shares.size).toBe(0)
  })

  test('is never remembered for having been away, whatever happened', () => {
    const step = fc.record({ keyId: fc.constantFrom('a', 'b', 'c', 'd'), cost: fc.nat(1_000) })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const shares = new KeyShares()
        shares.join('always')
        for (const { keyId, cost } of steps) {
          shares.join(keyId)
          shares.start(keyId, cost)
          expect(shares.served(keyId)).toBeGreaterThanOrEqual(shares.served('always'))
          shares.finish(keyId, { estimated: cost, really: 0 })
        }
        // Each has given all back, so none is ahead of the one that was always there.
        expect(shares.size).toBe(1)
      }),
    )
  })

  test('that waits for nothing is not listed', () => {
    const shares = new KeyShares()
    shares.join('waits')
    shares.join('waits')
    shares.join('runs')
    shares.start('runs', 1)
    expect(shares.waitingByKey()).toEqual({ waits: 2 })
  })

  test('that is not known changes nothing', () => {
    const shares = new KeyShares()
    shares.finish('nobody', { estimated: 0, really: 5 })
    shares.leave('nobody')
    expect([shares.served('nobody'), shares.size]).toEqual([0, 0])
  })
})
