import type { UsageRecord } from './record.ts'
import type { UsageGroup, UsageQuery, UsageStore, UsageTotal } from './usage-store.ts'

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

function sumUsage(records: readonly UsageRecord[], { since, by, keyId }: UsageQuery): UsageTotal[] {
  const sums = new Map<string, UsageTotal>()
  for (const record of records) {
    if (record.at < since || (keyId !== undefined && record.keyId !== keyId)) continue
    const group = groupOf(record, by)
    const sum = sums.get(group) ?? emptyTotal(group)
    sums.set(group, withRecord(sum, record))
  }
  return [...sums.values()].toSorted((a, b) => (a.group < b.group ? -1 : 1))
}

function groupOf(record: UsageRecord, by: UsageGroup): string {
  if (by === 'key') return record.keyId
  return by === 'day' ? record.day : (record.model ?? '')
}

function emptyTotal(group: string): UsageTotal {
  return {
    group,
    requests: 0,
    completed: 0,
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    estimated: 0,
    queueMs: 0,
    durationMs: 0,
    bytesIn: 0,
    bytesOut: 0,
  }
}

function withRecord(sum: UsageTotal, { tokens, ...record }: UsageRecord): UsageTotal {
  return {
    group: sum.group,
    requests: sum.requests + 1,
    completed: sum.completed + Number(record.outcome === 'completed'),
    promptTokens: sum.promptTokens + (tokens?.prompt ?? 0),
    cachedTokens: sum.cachedTokens + (tokens?.cached ?? 0),
    completionTokens: sum.completionTokens + (tokens?.completion ?? 0),
    estimated: sum.estimated + Number(tokens?.exact === false),
    queueMs: sum.queueMs + (record.queueMs ?? 0),
    durationMs: sum.durationMs + record.durationMs,
    bytesIn: sum.bytesIn + record.bytesIn,
    bytesOut: sum.bytesOut + record.bytesOut,
  }
}
