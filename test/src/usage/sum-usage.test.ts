import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { sumUsage } from '../../../src/usage/sum-usage.ts'
import { AT, usageRecord } from '../../contracts/usage-record.ts'
import { usageTotal } from '../../contracts/usage-store.ts'

const BY_KEY = { since: AT, by: 'key', keyId: undefined } as const

test('records are added to the sums of others, in the order of the groups', () => {
  const records = ['c', 'a', 'b'].map((keyId) => usageRecord({ keyId }))
  const on = [usageTotal('b', 2), usageTotal('d', 1)]
  expect(sumUsage(records, BY_KEY, on)).toEqual([
    usageTotal('a', 1),
    usageTotal('b', 3),
    usageTotal('c', 1),
    usageTotal('d', 1),
  ])
  expect(on).toEqual([usageTotal('b', 2), usageTotal('d', 1)])
})

test('sums in two steps are the sums in one', () => {
  const anyRecords = fc.array(
    fc
      .record({
        at: fc.integer({ min: AT - 1, max: AT + 1 }),
        keyId: fc.constantFrom('a', 'b', 'c'),
        bytesIn: fc.nat(),
      })
      .map(usageRecord),
  )
  fc.assert(
    fc.property(anyRecords, anyRecords, (first, second) => {
      expect(sumUsage(second, BY_KEY, sumUsage(first, BY_KEY))).toEqual(
        sumUsage([...first, ...second], BY_KEY),
      )
    }),
  )
})
