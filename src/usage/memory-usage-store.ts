import type { UsageRecord } from './record.ts'
import { sumUsage } from './sum-usage.ts'
import type { UsageStore } from './usage-store.ts'

/** More records than this are not kept; the oldest go first. */
const MAX_RECORDS = 10_000

/**
 * Keeps the latest records until the process ends, for a gate without a file. Records without a model are the group `''`.
 *
 * @param maxRecords how many are kept; sums tell only of them
 */
export function createMemoryUsageStore(maxRecords: number = MAX_RECORDS): UsageStore {
  const records: UsageRecord[] = []
  return {
    append(record) {
      records.push(record)
      if (records.length > maxRecords) records.shift()
    },
    totals: async (query) => sumUsage(records, query),
    flush: async () => {},
  }
}
