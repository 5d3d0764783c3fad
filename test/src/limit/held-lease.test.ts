import { describe, expect, test } from 'vitest'
import { holdLease, type HeldLease } from '../../../src/limit/held-lease.ts'
import type { Lease, LimitStore } from '../../../src/limit/limit-store.ts'
import { LEASE_MS } from '../../../src/limit/policy.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { limitsOf } from './limits.ts'

const LEASE: Lease = { keyId: 'laptop', limits: limitsOf({ concurrent: 2 }), leaseId: 'r-1' }

type World = {
  held: HeldLease
  clock: FakeClock
  /** What the store was told, in order. */
  told: Array<[step: string, ...rest: unknown[]]>
  failures: unknown[]
}

function hold(step: () => Promise<void> | void = () => undefined): World {
  const told: World['told'] = []
  const failures: unknown[] = []
  const clock = fakeClock()
  const limits: LimitStore = {
    admit: () => ({ ok: true, standing: { requests: undefined, tokens: undefined } }),
    peek: () => ({ requests: undefined, tokens: undefined }),
    renew: (lease) => (told.push(['renew', lease]), step()),
    settle: (lease, tokens) => (told.push(['settle', lease, tokens]), step()),
    release: (lease) => (told.push(['release', lease]), step()),
  }
  const logger = {
    request: () => undefined,
    failure: (requestId: string, error: unknown) => void failures.push([requestId, error]),
  }
  return { clock, told, failures, held: holdLease({ limits, clock, logger }, LEASE) }
}

test('a lease is renewed twice in its time, for as long as its request lives', async () => {
  const { clock, told, held } = hold()
  await clock.advance(LEASE_MS / 2 - 1)
  expect(told).toEqual([])
  await clock.advance(1)
  expect(told).toEqual([['renew', LEASE]])
  await clock.advance(LEASE_MS)
  expect(told).toEqual([
    ['renew', LEASE],
    ['renew', LEASE],
    ['renew', LEASE],
  ])
  held.settle(1)
  await clock.advance(LEASE_MS * 10)
  expect(told).toHaveLength(4)
  expect(clock.pending()).toBe(0)
})

describe('the end', () => {
  test.each<[string, (held: HeldLease) => void, unknown[]]>([
    ['settles with the tokens', (held) => held.settle(42), ['settle', LEASE, 42]],
    ['gives back', (held) => held.release(), ['release', LEASE]],
  ])('%s, once', async (_what, end, told) => {
    const world = hold()
    end(world.held)
    world.held.settle(7)
    world.held.release()
    end(world.held)
    await world.clock.advance(LEASE_MS)
    expect([world.told, world.clock.pending()]).toEqual([[told], 0])
  })
})

describe('a store that fails', () => {
  const fault = new Error('disk')

  test.each<[string, () => Promise<void> | void]>([
    [
      'at once',
      () => {
        throw fault
      },
    ],
    ['later', () => Promise.reject(fault)],
  ])('%s does not fail the request, is told, and asked again', async (_when, step) => {
    const { clock, told, failures, held } = hold(step)
    await clock.advance(LEASE_MS)
    held.settle(1)
    await clock.advance(LEASE_MS)
    expect(told.map(([what]) => what)).toEqual(['renew', 'renew', 'settle'])
    expect(failures).toEqual([
      ['r-1', fault],
      ['r-1', fault],
      ['r-1', fault],
    ])
  })
})
