import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AT, usageRecord } from '../../contracts/usage-record.ts'
import { describeUsageStore, usageTotal } from '../../contracts/usage-store.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { startTimedStores, type TimedStores } from './timed-stores.ts'

let stores: TimedStores
beforeAll(async () => {
  stores = await startTimedStores()
})
afterAll(() => stores.stop())

describeUsageStore('a Durable Object', () => stores.usage())

const DAY_MS = 86_400_000
const ALL = { since: 0, by: 'model', keyId: undefined } as const

describe('the object of usage', () => {
  test('keeps nothing while there is nothing', async () => {
    const store = stores.usage()
    await store.totals(ALL)
    expect(await store.look()).toEqual({ hasAlarm: false, rows: 0 })
  })

  test('deletes what is older than it was told, once a day, and then everything', async () => {
    const clock = fakeClock(AT)
    const store = stores.usage(clock)
    store.append(usageRecord())
    store.append(usageRecord({ at: AT + DAY_MS }))
    await clock.advance(30 * DAY_MS)
    const before = await store.look('alarm')
    await clock.advance(1)
    const oneLess = await store.look('alarm')
    expect(await store.totals(ALL)).toEqual([usageTotal('glm', 1)])
    await clock.advance(DAY_MS)
    // Beside the records there is the number of days.
    expect([before, oneLess, await store.look('alarm')]).toEqual([
      { hasAlarm: true, rows: 3 },
      { hasAlarm: true, rows: 2 },
      { hasAlarm: false, rows: 0 },
    ])
    store.append(usageRecord())
    expect([await store.totals(ALL), await store.look()]).toEqual([
      [usageTotal('glm', 1)],
      { hasAlarm: true, rows: 2 },
    ])
  })

  test('takes numbers that are not whole, and none', async () => {
    const store = stores.usage()
    store.append(usageRecord({ queueMs: 1.5, durationMs: Number.NaN, ttftMs: 0.1 }))
    expect(await store.totals(ALL)).toEqual([usageTotal('glm', 1, { queueMs: 2, durationMs: 0 })])
  })
})
