import { describe, expect, test } from 'vitest'
import type { KeyLimits } from '../../../src/limit/key-limits.ts'
import { newKeyState, type KeyState } from '../../../src/limit/key-state.ts'
import type { Admitted, Lease, Standing } from '../../../src/limit/limit-store.ts'
import { admit, LEASE_MS, peek, release, renew, settle } from '../../../src/limit/policy.ts'
import { limitsOf, START } from './limits.ts'

const DAY_MS = 86_400_000
const NO_LIMITS = limitsOf({})

/** One key, its limits and its clock. */
class Key {
  state: KeyState = newKeyState(START)
  now = START
  limits: KeyLimits
  maxLeases: number | undefined = undefined

  constructor(limits: KeyLimits) {
    this.limits = limits
  }
  admit(leaseId: string, tokens = 0): Admitted {
    const { maxLeases } = this
    return admit(this.state, { ...this.lease(leaseId), tokens, maxLeases }, this.now)
  }
  settle(leaseId: string, tokens: number): boolean {
    return settle(this.state, { ...this.lease(leaseId), tokens }, this.now)
  }
  release(leaseId: string): boolean {
    return release(this.state, this.lease(leaseId), this.now)
  }
  renew(leaseId: string): boolean {
    return renew(this.state, this.lease(leaseId), this.now)
  }
  standing(): Standing {
    return peek(this.state, this.limits, this.now)
  }
  lease(leaseId: string): Lease {
    return { keyId: 'k', leaseId, limits: this.limits }
  }
}

describe('requests per minute', () => {
  const limits = limitsOf({ requestsPerMinute: 60, burst: 2 })

  test('pass in a burst, then one by one', () => {
    const key = new Key(limits)
    const first = key.admit('a')
    key.admit('b')
    const refused = key.admit('c')
    key.now += 1000
    expect([first, refused, key.admit('d')]).toEqual([
      {
        ok: true,
        standing: { requests: { limit: 60, remaining: 1, resetMs: 1000 }, tokens: undefined },
      },
      {
        ok: false,
        limit: 'requests-per-minute',
        retryAfterMs: 1000,
        standing: { requests: { limit: 60, remaining: 0, resetMs: 2000 }, tokens: undefined },
      },
      {
        ok: true,
        standing: { requests: { limit: 60, remaining: 0, resetMs: 2000 }, tokens: undefined },
      },
    ])
  })

  test('stay counted when a request is settled, and come back when it is released', () => {
    const key = new Key(limits)
    key.admit('a')
    key.admit('b')
    key.settle('a', 0)
    const settled = key.standing().requests?.remaining
    key.release('b')
    expect([settled, key.standing().requests?.remaining]).toEqual([0, 1])
  })
})

/** The standing of a key that has only 600 tokens per minute. */
const gauge = (remaining: number, resetMs: number): Standing => ({
  requests: undefined,
  tokens: { limit: 600, remaining, resetMs },
})

describe('tokens per minute', () => {
  const limits = limitsOf({ tokensPerMinute: 600 })

  test('are reserved, and given back where fewer were used', () => {
    const key = new Key(limits)
    const admitted = key.admit('a', 500)
    key.settle('a', 100)
    expect([admitted, key.standing()]).toEqual([
      { ok: true, standing: gauge(100, 50_000) },
      gauge(500, 10_000),
    ])
  })

  test('become a debt where more were used', () => {
    const key = new Key(limits)
    key.admit('a', 100)
    key.settle('a', 700)
    expect([key.standing(), key.admit('b', 1)]).toEqual([
      gauge(0, 70_000),
      {
        ok: false,
        limit: 'tokens-per-minute',
        retryAfterMs: 10_100,
        left: 0,
        standing: gauge(0, 70_000),
      },
    ])
  })

  test('do not stop a request that takes none', () => {
    const key = new Key(limits)
    key.admit('a', 600)
    key.settle('a', 700)
    expect(key.admit('b', 0)).toEqual({ ok: true, standing: gauge(0, 70_000) })
  })

  test('let a request pass that is larger than the limit when all of it is there', () => {
    const key = new Key(limits)
    const admitted = key.admit('large', 6000)
    const refused = key.admit('next', 1)
    expect([admitted, refused]).toEqual([
      { ok: true, standing: gauge(0, 600_000) },
      {
        ok: false,
        limit: 'tokens-per-minute',
        retryAfterMs: 540_100,
        left: 0,
        standing: gauge(0, 600_000),
      },
    ])
  })

  test('are not given back a second time after they have flowed in', () => {
    const key = new Key(limits)
    key.admit('a', 600)
    key.now += 60_000
    key.admit('b', 600)
    key.settle('a', 0)
    expect(key.standing()).toEqual(gauge(0, 60_000))
  })

  test.each([NaN, -5, Infinity])('take %s for a number that does no harm', (tokens) => {
    const key = new Key(limits)
    key.admit('a', tokens)
    key.settle('a', tokens)
    key.admit('b', 10)
    expect([JSON.stringify(key.state).includes('null'), key.settle('b', 0)]).toEqual([
      false,
      tokens !== Infinity,
    ])
  })
})

describe('tokens per day', () => {
  const limits = limitsOf({ tokensPerDay: 1000, timeZone: 'Europe/Berlin' })
  /** The first midnight in Berlin after the start. */
  const MIDNIGHT = START + 23 * 3_600_000

  test('are there again at midnight', () => {
    const key = new Key(limits)
    key.admit('a', 900)
    const refused = key.admit('b', 101)
    key.now = MIDNIGHT
    expect([refused, key.admit('c', 101)]).toEqual([
      {
        ok: false,
        limit: 'tokens-per-day',
        retryAfterMs: 23 * 3_600_000,
        left: 100,
        standing: {
          requests: undefined,
          tokens: { limit: 1000, remaining: 100, resetMs: 23 * 3_600_000 },
        },
      },
      {
        ok: true,
        standing: { requests: undefined, tokens: { limit: 1000, remaining: 899, resetMs: DAY_MS } },
      },
    ])
  })

  test('go back only into the day that they came from', () => {
    const key = new Key(limits)
    key.now = MIDNIGHT - 1000
    key.admit('a', 900)
    key.now = MIDNIGHT
    key.admit('b', 500)
    key.settle('a', 0)
    expect(key.state.day).toEqual({ day: '2026-01-02', endsAt: MIDNIGHT + DAY_MS, used: 500 })
  })

  test('that were not reserved count in the day in which they become known', () => {
    const key = new Key(limits)
    key.now = MIDNIGHT - 1000
    key.admit('a', 900)
    key.now = MIDNIGHT
    key.settle('a', 1100)
    expect(key.state.day).toEqual({ day: '2026-01-02', endsAt: MIDNIGHT + DAY_MS, used: 200 })
  })

  test('let one request pass that is larger than the limit, at the beginning of a day', () => {
    const key = new Key(limits)
    expect([key.admit('a', 5000).ok, key.admit('b', 1).ok, key.state.day.used]).toEqual([
      true,
      false,
      5000,
    ])
  })

  test('stay used when the clock jumps back over midnight, and can still be given back', () => {
    const key = new Key(limits)
    key.now = MIDNIGHT + 1000
    key.admit('a', 900)
    key.now = MIDNIGHT - 1000
    const refused = key.admit('b', 200)
    key.settle('a', 100)
    expect([refused.ok, key.state.day]).toEqual([
      false,
      { day: '2026-01-01', endsAt: MIDNIGHT, used: 100 },
    ])
  })

  test.each([600, 60_000])('are told where both are used up, with a minute of %i', (used) => {
    const key = new Key({ ...limits, tokensPerMinute: used, tokensPerDay: used })
    key.admit('a', used)
    expect(key.standing().tokens).toEqual({ limit: used, remaining: 0, resetMs: 23 * 3_600_000 })
  })

  test('are not told where the minute takes longer, because of a debt', () => {
    const key = new Key({ ...limits, tokensPerMinute: 1 })
    key.admit('a', 2000)
    expect(key.standing().tokens).toEqual({ limit: 1, remaining: 0, resetMs: 2000 * 60_000 })
  })

  test('are told where less of them is left than of the minute', () => {
    const key = new Key({ ...limits, tokensPerMinute: 950 })
    const full = key.standing().tokens
    key.admit('a', 600)
    const inTheMinute = key.standing().tokens
    key.now += 60_000
    expect([full, inTheMinute, key.standing().tokens]).toEqual([
      { limit: 950, remaining: 950, resetMs: 0 },
      { limit: 950, remaining: 350, resetMs: 37_895 },
      { limit: 1000, remaining: 400, resetMs: 23 * 3_600_000 - 60_000 },
    ])
  })
})

const keyWith = (maxLeases: number): Key => Object.assign(new Key(NO_LIMITS), { maxLeases })

describe('leases', () => {
  const standing = { requests: undefined, tokens: undefined }

  test('are as many as allowed, and one that ends makes room', () => {
    const key = keyWith(2)
    const oks = [key.admit('a').ok, key.admit('b').ok, key.admit('c').ok]
    key.settle('a', 0)
    const afterSettle = key.admit('d').ok
    key.release('b')
    expect([...oks, afterSettle, key.admit('e').ok]).toEqual([true, true, false, true, true])
  })

  test('that are too many may ask again after a second', () => {
    const key = keyWith(1)
    key.admit('a')
    expect(key.admit('b')).toEqual({ ok: false, limit: 'concurrent', retryAfterMs: 1000, standing })
  })

  test('that are too many may ask again when the first expires', () => {
    const key = keyWith(1)
    key.admit('a')
    key.now += LEASE_MS - 1
    const refused = key.admit('b')
    key.now += 1
    expect([refused, key.admit('b')]).toEqual([
      { ok: false, limit: 'concurrent', retryAfterMs: 1, standing },
      { ok: true, standing },
    ])
  })

  test('count on while they are renewed', () => {
    const key = keyWith(1)
    key.admit('a')
    key.now += LEASE_MS - 1
    const renewed = key.renew('a')
    key.now += LEASE_MS - 1
    expect([renewed, key.admit('b').ok]).toEqual([true, false])
  })

  test('cannot be renewed once they are gone', () => {
    const key = keyWith(1)
    key.admit('a')
    key.settle('a', 0)
    expect([key.renew('a'), key.state.leases]).toEqual([false, []])
  })

  test('that expired are still settled exactly', () => {
    const key = new Key(limitsOf({ tokensPerMinute: 600 }))
    key.admit('a', 6000)
    key.now += 10 * LEASE_MS
    key.settle('a', 3600)
    expect(key.standing().tokens).toEqual({ limit: 600, remaining: 0, resetMs: 60_000 })
  })

  test('expire as if the clock had not jumped back', () => {
    const key = keyWith(1)
    key.admit('a')
    key.now -= DAY_MS
    const refused = key.admit('b')
    key.now += LEASE_MS
    expect([refused.ok, key.admit('b').ok]).toEqual([false, true])
  })
})

describe('ending a lease', () => {
  const limits = limitsOf({ requestsPerMinute: 60, tokensPerMinute: 600, tokensPerDay: 1000 })

  test.each<[string, (key: Key) => boolean]>([
    ['settled again', (key) => key.settle('a', 9)],
    ['released after it was settled', (key) => key.release('a')],
    ['settled but not known', (key) => key.settle('x', 9)],
    ['released but not known', (key) => key.release('x')],
  ])('changes nothing where it is %s', (_, end) => {
    const key = new Key(limits)
    key.admit('a', 100)
    key.admit('b', 100)
    key.settle('a', 50)
    const before = structuredClone(key.state)
    expect([end(key), key.state]).toEqual([false, before])
  })

  test('by release leaves everything as it was before', () => {
    const key = new Key(limits)
    key.admit('a', 100)
    const before = structuredClone(key.state)
    key.admit('b', 300)
    key.release('b')
    expect(key.state).toEqual(before)
  })
})

describe('a refusal', () => {
  const limits = limitsOf({
    requestsPerMinute: 60,
    burst: 1,
    tokensPerMinute: 600,
    tokensPerDay: 1000,
  })

  test('names the limit with the longest wait, and takes from none', () => {
    const key = new Key(limits)
    key.maxLeases = 1
    key.admit('a', 600)
    const before = structuredClone(key.state)
    const refusals = [key.admit('b', 500), key.admit('b', 400), key.admit('b', 0)]
    key.maxLeases = undefined
    refusals.push(key.admit('b', 0))
    expect([refusals.map((it) => (it.ok ? it : [it.limit, it.retryAfterMs])), key.state]).toEqual([
      [
        ['tokens-per-day', DAY_MS],
        ['tokens-per-minute', 40_000],
        ['requests-per-minute', 1000],
        ['requests-per-minute', 1000],
      ],
      before,
    ])
  })

  test.each<[string, Partial<KeyLimits>, number]>([
    ['requests', { requestsPerMinute: 60, burst: 1 }, 100],
    ['tokens of the minute', { tokensPerMinute: 150 }, 100],
    ['tokens of the day', { tokensPerDay: 150 }, 100],
  ])('for want of %s takes nothing of the others', (_, tight, tokens) => {
    const key = new Key({ ...limits, burst: 10, tokensPerDay: 10_000, ...tight })
    key.admit('a', tokens)
    const before = structuredClone(key.state)
    expect([key.admit('b', tokens).ok, key.state]).toEqual([false, before])
  })

  test('lets pass whoever waits as long as it says', () => {
    const key = new Key({ ...limits, tokensPerDay: undefined, tokensPerMinute: 700 })
    key.admit('a', 333)
    const refused = key.admit('b', 600)
    const waited = refused.ok ? 0 : refused.retryAfterMs
    key.now += waited
    expect([waited, key.admit('b', 600).ok]).toEqual([19_972, true])
  })
})

describe('when the configuration changes', () => {
  test('a new limit counts from then on, and ends nothing that was admitted without it', () => {
    const key = new Key(NO_LIMITS)
    key.admit('a', 500)
    key.limits = limitsOf({ requestsPerMinute: 60, tokensPerMinute: 600, tokensPerDay: 1000 })
    key.settle('a', 700)
    expect(key.standing()).toEqual({
      requests: { limit: 60, remaining: 10, resetMs: 0 },
      tokens: { limit: 600, remaining: 600, resetMs: 0 },
    })
  })

  test('a limit that is gone is neither checked nor told', () => {
    const key = new Key(limitsOf({ requestsPerMinute: 1, burst: 1, tokensPerDay: 10 }))
    key.admit('a', 10)
    key.limits = NO_LIMITS
    const admitted = key.admit('b', 10)
    key.settle('a', 3)
    expect([admitted, key.state.day.used]).toEqual([
      { ok: true, standing: { requests: undefined, tokens: undefined } },
      3,
    ])
  })

  test('a lower rate gives back the time that was taken at the higher one', () => {
    const key = new Key(limitsOf({ tokensPerMinute: 6000 }))
    key.admit('a', 1000)
    key.admit('b', 1000)
    key.limits = limitsOf({ tokensPerMinute: 60 })
    key.settle('a', 500)
    expect(key.standing().tokens).toEqual({ limit: 60, remaining: 45, resetMs: 15_000 })
  })

  test('another time zone begins its day without losing what was used on the same date', () => {
    const key = new Key(limitsOf({ tokensPerDay: 1000 }))
    key.admit('a', 600)
    key.limits = limitsOf({ tokensPerDay: 1000, timeZone: 'America/New_York' })
    key.settle('a', 500)
    expect(key.state.day).toEqual({
      day: '2025-12-31',
      endsAt: START + 5 * 3_600_000,
      used: 500,
    })
  })
})

test('what is told to be left is of the limit that refused, not of the tighter one', () => {
  const key = new Key(limitsOf({ tokensPerMinute: 100, tokensPerDay: 1000 }))
  key.admit('a', 100)
  key.settle('a', 950)
  key.now += 600_000
  key.admit('b', 0)
  expect(key.admit('c', 90)).toMatchObject({ ok: false, limit: 'tokens-per-day', left: 50 })
})
