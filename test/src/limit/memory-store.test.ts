import { describe, expect, test, vi } from 'vitest'
import type { ArchivedKey, LimitArchive } from '../../../src/limit/limit-archive.ts'
import type { Admission } from '../../../src/limit/limit-store.ts'
import { createMemoryLimitStore } from '../../../src/limit/memory-store.ts'
import { describeLimitStore } from '../../contracts/limit-store.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { limitsOf } from './limits.ts'

describeLimitStore('memory', (clock) => createMemoryLimitStore({ clock }))

const limits = limitsOf({ requestsPerMinute: 60, tokensPerMinute: 6000, tokensPerDay: 10_000 })
const admission = (keyId: string, fields: Partial<Admission> = {}): Admission => ({
  keyId,
  limits,
  leaseId: `of ${keyId}`,
  tokens: 1000,
  maxLeases: undefined,
  ...fields,
})

const archiveOf = (rows: ArchivedKey[]): LimitArchive => ({ load: () => rows, save() {} })

const openWith = (
  rows: ArchivedKey[],
  clock = fakeClock(),
): ReturnType<typeof createMemoryLimitStore> =>
  createMemoryLimitStore({ clock, archive: archiveOf(rows) })

describe('the memory of keys', () => {
  test('holds no key that is idle for long, though thousands come, and keeps the others', async () => {
    const clock = fakeClock()
    const store = createMemoryLimitStore({ clock })
    await store.admit(admission('busy', { tokens: 5000 }))
    for (let i = 0; i < 10_000; i++) {
      const passing = admission(`${i}`, { limits: limitsOf({ requestsPerMinute: 60 }) })
      await store.admit(passing)
      await store.settle(passing, 0)
      await clock.advance(100)
    }
    expect([store.size() < 50, (await store.peek('busy', limits)).tokens?.remaining]).toEqual([
      true,
      5000,
    ])
  }, 20_000)

  test('does the same work for one request whether it holds 10 keys or 10,000', () => {
    const store = createMemoryLimitStore({ clock: fakeClock() })
    const admitUpTo = (keys: number): void => {
      for (let i = store.size(); i < keys; i++) void store.admit(admission(`${i}`))
    }
    const writesOfOne = (): number => {
      const writes = vi.spyOn(Map.prototype, 'set')
      void store.admit(admission('one'))
      const count = writes.mock.calls.length
      writes.mockRestore()
      return count
    }
    admitUpTo(10)
    const withFew = writesOfOne()
    admitUpTo(10_000)
    expect([withFew, writesOfOne(), store.size()]).toEqual([3, 3, 10_000])
  })

  test('keeps no key that was only asked about or refused', async () => {
    const store = createMemoryLimitStore({ clock: fakeClock() })
    await store.peek('a', limits)
    await store.admit(admission('b', { maxLeases: 0 }))
    await store.settle(admission('c'), 5)
    expect(store.size()).toBe(0)
  })
})

describe('an archive', () => {
  test('gets the keys that changed, each once, and then only what changed again', async () => {
    const store = openWith([])
    const keyIds = (): string[] => store.changed().map(({ keyId }) => keyId)
    await store.admit(admission('a'))
    await store.admit(admission('b'))
    await store.renew(admission('a'))
    const first = keyIds()
    const none = keyIds()
    await store.peek('a', limits)
    await store.admit(admission('a', { leaseId: 'refused', tokens: 20_000 }))
    await store.settle(admission('nobody'), 1)
    const afterNoChange = keyIds()
    await store.settle(admission('b'), 5)
    expect([first, none, afterNoChange, keyIds()]).toEqual([['a', 'b'], [], [], ['b']])
  })

  test('carries what was used over a restart, and no leases', async () => {
    const before = openWith([])
    await before.admit(admission('a', { maxLeases: 1 }))
    const after = openWith(before.changed())
    expect([
      await after.peek('a', limits),
      (await after.admit(admission('a', { leaseId: 'new', maxLeases: 1 }))).ok,
    ]).toEqual([await before.peek('a', limits), true])
  })

  test('with rows that cannot be read starts those keys afresh, and tells which', async () => {
    const before = openWith([])
    await before.admit(admission('a'))
    const rows = [
      { keyId: 'x', text: '{"seenAt":"never"}' },
      ...before.changed(),
      { keyId: 'y', text: '' },
    ]
    const unreadable: string[] = []
    const store = createMemoryLimitStore({
      clock: fakeClock(),
      archive: archiveOf(rows),
      unreadable: (keyId) => void unreadable.push(keyId),
    })
    expect([store.size(), openWith(rows).size(), unreadable]).toEqual([1, 1, ['x', 'y']])
  })

  test('learns of a key that became idle before that key is dropped', async () => {
    const clock = fakeClock()
    const store = openWith([], clock)
    await store.admit(admission('a'))
    await store.release(admission('a'))
    await store.admit(admission('b'))
    const saved = store.changed().map(({ keyId }) => keyId)
    await store.release(admission('b'))
    store.changed()
    await store.admit(admission('c'))
    expect([saved, store.size()]).toEqual([['a', 'b'], 1])
  })

  test('is not there: nothing is kept for it', async () => {
    const store = createMemoryLimitStore({ clock: fakeClock() })
    await store.admit(admission('a'))
    expect(store.changed()).toEqual([])
  })
})
