import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LEASE_MS } from '../../../src/limit/policy.ts'
import { describeLimitStore } from '../../contracts/limit-store.ts'
import { limitsOf } from '../../src/limit/limits.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { startTimedStores, type TimedStores } from './timed-stores.ts'

let stores: TimedStores
beforeAll(async () => {
  stores = await startTimedStores()
})
afterAll(() => stores.stop())

describeLimitStore('a Durable Object per key', (clock) => stores.limits(clock))

const LIMITS = limitsOf({ requestsPerMinute: 60, burst: 10, tokensPerDay: 1000 })
const LEASE = { keyId: 'laptop', leaseId: 'a', limits: LIMITS }
const ADMISSION = { ...LEASE, tokens: 10, maxLeases: undefined }
const HOUR_MS = 3_600_000
const NOTHING = { hasAlarm: false, rows: 0 }

describe('the object of a key', () => {
  test('keeps nothing of a key that was only looked at or refused', async () => {
    const store = stores.limits(fakeClock())
    await store.peek('laptop', LIMITS)
    const refused = await store.admit({ ...ADMISSION, maxLeases: 0 })
    expect([refused.ok, await store.look('laptop')]).toEqual([false, NOTHING])
  })

  test('keeps one row and an alarm, however much was asked', async () => {
    const store = stores.limits(fakeClock())
    await store.admit(ADMISSION)
    await store.admit({ ...ADMISSION, leaseId: 'b' })
    await store.settle(LEASE, 5)
    expect(await store.look('laptop')).toEqual({ hasAlarm: true, rows: 1 })
  })

  test('deletes everything once its limits are full again, and begins anew', async () => {
    const clock = fakeClock()
    const store = stores.limits(clock)
    const full = await store.peek('laptop', LIMITS)
    await store.admit(ADMISSION)
    await store.settle(LEASE, 5)
    await clock.advance(HOUR_MS)
    const sameDay = await store.look('laptop', 'alarm')
    await clock.advance(23 * HOUR_MS)
    const nextDay = await store.look('laptop', 'alarm')
    expect([sameDay, nextDay]).toEqual([{ hasAlarm: true, rows: 1 }, NOTHING])
    expect(await store.peek('laptop', LIMITS)).toEqual(full)
    await store.admit(ADMISSION)
    expect(await store.look('laptop')).toEqual({ hasAlarm: true, rows: 1 })
  })

  test('forgets a request of which nothing was heard any more', async () => {
    const clock = fakeClock()
    const store = stores.limits(clock)
    const limits = limitsOf({ requestsPerMinute: 60, burst: 10 })
    await store.admit({ ...ADMISSION, limits })
    await clock.advance(HOUR_MS)
    const lost = await store.look('laptop', 'alarm')
    await clock.advance(LEASE_MS)
    expect([lost, await store.look('laptop', 'alarm')]).toEqual([
      { hasAlarm: true, rows: 1 },
      NOTHING,
    ])
  })
})
