import { expect, test } from 'vitest'
import { createMemoryUsageStore } from '../../../src/usage/memory-usage-store.ts'
import { usageRecord } from '../../contracts/usage-record.ts'
import { describeUsageStore, usageTotal } from '../../contracts/usage-store.ts'

describeUsageStore('a store in memory', createMemoryUsageStore)

test('a store in memory forgets the oldest records when there are too many', async () => {
  const store = createMemoryUsageStore(2)
  for (const model of ['a', 'b', 'c']) store.append(usageRecord({ model }))
  expect(await store.totals({ since: 0, by: 'model', keyId: undefined })).toEqual([
    usageTotal('b', 1),
    usageTotal('c', 1),
  ])
})
