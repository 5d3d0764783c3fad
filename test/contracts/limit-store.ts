import { describe, expect, test } from 'vitest'
import type { KeyLimits } from '../../src/limit/key-limits.ts'
import type { Admission, Admitted, Lease, LimitStore } from '../../src/limit/limit-store.ts'
import { LEASE_MS } from '../../src/limit/policy.ts'
import { fakeClock, type FakeClock } from '../support/fake-clock.ts'

const DAY_MS = 86_400_000

const LIMITS: KeyLimits = {
  requestsPerMinute: 60,
  burst: 10,
  tokensPerMinute: 6000,
  tokensPerDay: 10_000,
  concurrent: undefined,
  waiting: 32,
  maxOutputTokens: undefined,
  timeZone: 'UTC',
}

const lease = (leaseId: string, fields: Partial<Lease> = {}): Lease => ({
  keyId: 'laptop',
  leaseId,
  limits: LIMITS,
  ...fields,
})
const admission = (leaseId: string, fields: Partial<Admission> = {}): Admission => ({
  ...lease(leaseId),
  tokens: 1000,
  maxLeases: undefined,
  ...fields,
})
const FULL = {
  requests: { limit: 60, remaining: 10, resetMs: 0 },
  tokens: { limit: 6000, remaining: 6000, resetMs: 0 },
}
/** What is left after one request of the sample. */
const ONE_LESS = {
  requests: { limit: 60, remaining: 9, resetMs: 1000 },
  tokens: { limit: 6000, remaining: 5000, resetMs: 10_000 },
}

type Open = (clock: FakeClock) => LimitStore | Promise<LimitStore>
type Started = { store: LimitStore; clock: FakeClock }

async function startWith(open: Open): Promise<Started> {
  const clock = fakeClock()
  return { store: await open(clock), clock }
}

const oks = (answers: Admitted[]): boolean[] => answers.map(({ ok }) => ok)

/** What every store of limits must do. `open` gives an empty one whose time is the clock's. */
export function describeLimitStore(name: string, open: Open): void {
  describe(`${name} keeps limits`, () => {
    test('and a key that was never seen has all of them', async () => {
      const { store } = await startWith(open)
      expect(await store.peek('nobody', LIMITS)).toEqual(FULL)
    })

    test('and admitting takes from all of them', async () => {
      const { store } = await startWith(open)
      expect([await store.admit(admission('a')), await store.peek('laptop', LIMITS)]).toEqual([
        { ok: true, standing: ONE_LESS },
        ONE_LESS,
      ])
    })

    test('and refusing takes from none', async () => {
      const { store } = await startWith(open)
      await store.admit(admission('a'))
      const refused = await store.admit(admission('b', { tokens: 5500 }))
      expect([refused, await store.peek('laptop', LIMITS)]).toEqual([
        {
          ok: false,
          limit: 'tokens-per-minute',
          retryAfterMs: 5000,
          left: 5000,
          standing: ONE_LESS,
        },
        ONE_LESS,
      ])
    })

    test.each<[string, Partial<Admission>, number]>([
      ['requests', { tokens: 0 }, 10],
      ['tokens', { tokens: 1500 }, 4],
      ['leases', { tokens: 0, maxLeases: 3 }, 3],
    ])('and fifty at once get no more %s than there are', async (_, fields, passing) => {
      const { store } = await startWith(open)
      const many = Array.from({ length: 50 }, (__, i) => admission(`${i}`, fields))
      const answers = await Promise.all(many.map(async (one) => store.admit(one)))
      expect(answers.filter(({ ok }) => ok)).toHaveLength(passing)
    })

    test('and keys do not touch each other', async () => {
      const { store } = await startWith(open)
      const maxLeases = 1
      await store.admit(admission('a', { maxLeases }))
      const other = await store.admit(admission('a', { keyId: 'phone', maxLeases }))
      await store.release(lease('a', { keyId: 'phone' }))
      expect([
        other.ok,
        await store.peek('laptop', LIMITS),
        await store.peek('phone', LIMITS),
      ]).toEqual([true, ONE_LESS, FULL])
    })

    test('and limits are full again in time', async () => {
      const { store, clock } = await startWith(open)
      await store.admit(admission('a'))
      await clock.advance(500)
      const soon = await store.peek('laptop', LIMITS)
      await clock.advance(DAY_MS)
      expect([soon, await store.peek('laptop', LIMITS)]).toEqual([
        {
          requests: { limit: 60, remaining: 9, resetMs: 500 },
          tokens: { limit: 6000, remaining: 5050, resetMs: 9500 },
        },
        FULL,
      ])
    })

    test('and a day that is used up ends at midnight', async () => {
      const { store, clock } = await startWith(open)
      await store.admit(admission('a', { tokens: 9900 }))
      await clock.advance(DAY_MS / 2)
      const refused = await store.admit(admission('b'))
      await clock.advance(DAY_MS / 2)
      expect([refused, (await store.admit(admission('c'))).ok]).toEqual([
        {
          ok: false,
          limit: 'tokens-per-day',
          retryAfterMs: DAY_MS / 2,
          left: 100,
          standing: {
            requests: FULL.requests,
            tokens: { limit: 10_000, remaining: 100, resetMs: DAY_MS / 2 },
          },
        },
        true,
      ])
    })

    test('and settling puts the real tokens in place, and keeps the request', async () => {
      const { store } = await startWith(open)
      await store.admit(admission('a'))
      await store.settle(lease('a'), 100)
      expect(await store.peek('laptop', LIMITS)).toEqual({
        requests: ONE_LESS.requests,
        tokens: { limit: 6000, remaining: 5900, resetMs: 1000 },
      })
    })

    test('and settling for more than was reserved makes a debt', async () => {
      const { store } = await startWith(open)
      await store.admit(admission('a'))
      await store.settle(lease('a'), 7000)
      expect(await store.admit(admission('b', { tokens: 1 }))).toEqual({
        ok: false,
        limit: 'tokens-per-minute',
        retryAfterMs: 10_010,
        left: 0,
        standing: {
          requests: ONE_LESS.requests,
          tokens: { limit: 6000, remaining: 0, resetMs: 70_000 },
        },
      })
    })

    test('and settling late gives back nothing that had flowed in again', async () => {
      const { store, clock } = await startWith(open)
      const limits = { ...LIMITS, tokensPerDay: undefined }
      await store.admit(admission('a', { tokens: 6000, limits }))
      await clock.advance(60_000)
      await store.admit(admission('b', { tokens: 6000, limits }))
      await store.settle(lease('a', { limits }), 0)
      expect((await store.admit(admission('c', { tokens: 1, limits }))).ok).toBe(false)
    })

    test('and releasing gives everything back', async () => {
      const { store } = await startWith(open)
      await store.admit(admission('a'))
      await store.release(lease('a'))
      expect(await store.peek('laptop', LIMITS)).toEqual(FULL)
    })

    test('and a lease ends once', async () => {
      const { store } = await startWith(open)
      await store.admit(admission('a'))
      await store.admit(admission('b'))
      await store.release(lease('a'))
      await store.release(lease('a'))
      await store.settle(lease('a'), 5000)
      await store.settle(lease('nobody'), 5000)
      expect(await store.peek('laptop', LIMITS)).toEqual(ONE_LESS)
    })

    test('and a lease counts until it ends, expires or is no longer renewed', async () => {
      const { store, clock } = await startWith(open)
      const one = { tokens: 0, maxLeases: 1 }
      const answers = [
        await store.admit(admission('a', one)),
        await store.admit(admission('b', one)),
      ]
      await store.settle(lease('a'), 0)
      answers.push(await store.admit(admission('c', one)))
      await clock.advance(LEASE_MS - 1)
      await store.renew(lease('c'))
      await clock.advance(LEASE_MS - 1)
      answers.push(await store.admit(admission('d', one)))
      await clock.advance(1)
      answers.push(await store.admit(admission('e', one)))
      expect(oks(answers)).toEqual([true, false, true, false, true])
    })

    test('and a lease that ended is not renewed', async () => {
      const { store } = await startWith(open)
      await store.admit(admission('a', { maxLeases: 1 }))
      await store.settle(lease('a'), 0)
      await store.renew(lease('a'))
      expect((await store.admit(admission('b', { maxLeases: 1 }))).ok).toBe(true)
    })

    test('and a limit that a key does not have is not told', async () => {
      const { store } = await startWith(open)
      const limits = { ...LIMITS, requestsPerMinute: undefined, tokensPerMinute: undefined }
      await store.admit(admission('a', { limits }))
      expect(await store.peek('laptop', limits)).toEqual({
        requests: undefined,
        tokens: { limit: 10_000, remaining: 9000, resetMs: DAY_MS },
      })
    })

    test('and leaves no timer behind', async () => {
      const { store, clock } = await startWith(open)
      const waiting = clock.pending()
      await store.admit(admission('a'))
      await store.renew(lease('a'))
      expect(clock.pending()).toBe(waiting)
    })
  })
}
