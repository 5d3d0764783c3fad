import { describe, expect, test } from 'vitest'
import { KeptKey, type KeyStorage } from '../../../adapters/cloudflare/kept-key.ts'
import { LEASE_MS } from '../../../src/limit/policy.ts'
import { limitsOf } from '../../src/limit/limits.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const LIMITS = limitsOf({ requestsPerMinute: 60, burst: 10, tokensPerDay: 1000 })
const LEASE = { keyId: 'laptop', leaseId: 'a', limits: LIMITS }
const ADMISSION = { ...LEASE, tokens: 10, maxLeases: 1 }
const HOUR_MS = 3_600_000

/** A storage that counts what is written to it. */
function memory(text?: string) {
  const kept = { text, saves: 0 }
  const storage: KeyStorage = {
    load: () => kept.text,
    save(written) {
      kept.text = written
      kept.saves++
    },
  }
  return { kept, storage }
}

describe('the state of a key', () => {
  test('is saved with each change, and only then', () => {
    const { kept, storage } = memory()
    const key = new KeptKey(storage, fakeClock())
    const saves = [
      () => key.peek(LIMITS),
      () => key.settle(LEASE, 1),
      () => key.admit(ADMISSION),
      () => key.admit({ ...ADMISSION, leaseId: 'refused' }),
      () => key.peek(LIMITS),
      () => key.renew(LEASE),
      () => key.settle(LEASE, 5),
      () => key.settle(LEASE, 5),
      () => key.renew(LEASE),
      () => key.release(LEASE),
    ].map((call) => {
      call()
      return kept.saves
    })
    expect(saves).toEqual([0, 0, 1, 1, 1, 2, 3, 3, 3, 3])
  })

  test('goes on where it was, leases too, when its object is started again', async () => {
    const clock = fakeClock()
    const { storage } = memory()
    const before = new KeptKey(storage, clock)
    before.admit(ADMISSION)
    const standing = before.peek(LIMITS)
    const after = new KeptKey(storage, clock)
    const second = { ...ADMISSION, leaseId: 'b' }
    expect([after.peek(LIMITS), after.admit(second).ok]).toEqual([standing, false])
    await clock.advance(LEASE_MS)
    expect(after.admit(second).ok).toBe(true)
    after.settle(LEASE, 4)
    expect(after.peek(LIMITS).tokens?.remaining).toBe(1000 - 4 - 10)
  })

  test('begins anew where what is kept cannot be read', () => {
    const key = new KeptKey(memory('{"seenAt":').storage, fakeClock())
    expect(key.peek(LIMITS).requests?.remaining).toBe(10)
  })
})

test('a request whose admission was not heard of is admitted again, and charged once', () => {
  const { kept, storage } = memory()
  const key = new KeptKey(storage, fakeClock())
  const first = key.admit(ADMISSION)
  expect([key.admit(ADMISSION), kept.saves]).toEqual([first, 1])
})

describe('a key can be forgotten', () => {
  test('at once when nothing was ever taken', () => {
    expect(new KeptKey(memory().storage, fakeClock()).forgetOrWait()).toBeUndefined()
  })

  test('when its rate has flowed in again, which is looked at once an hour', async () => {
    const clock = fakeClock()
    const limits = limitsOf({ requestsPerMinute: 60, burst: 10 })
    const key = new KeptKey(memory().storage, clock)
    key.admit({ ...ADMISSION, limits })
    key.settle({ ...LEASE, limits }, 0)
    const soon = key.forgetOrWait()
    await clock.advance(1000)
    expect([soon, key.forgetOrWait()]).toEqual([HOUR_MS, undefined])
  })

  test('when the day is over in which it used something', async () => {
    const clock = fakeClock()
    const key = new KeptKey(memory().storage, clock)
    key.admit(ADMISSION)
    key.settle(LEASE, 10)
    await clock.advance(HOUR_MS)
    const soon = key.forgetOrWait()
    await clock.advance(23 * HOUR_MS)
    expect([soon, key.forgetOrWait()]).toEqual([23 * HOUR_MS, undefined])
  })

  test('and then has all of its limits, also where it stays in memory', async () => {
    const clock = fakeClock()
    const key = new KeptKey(memory().storage, clock)
    const full = key.peek(LIMITS)
    key.admit(ADMISSION)
    key.settle(LEASE, 10)
    await clock.advance(24 * HOUR_MS)
    key.forgetOrWait()
    expect([key.peek(LIMITS), key.admit(ADMISSION).ok]).toEqual([full, true])
  })
})
