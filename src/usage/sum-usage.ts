import { isOfKey } from './is-of-key.ts'
import type { UsageRecord } from './record.ts'
import type { UsageGroup, UsageQuery, UsageTotal } from './usage-store.ts'

/**
 * Sums records in memory, ordered by group; those without a model are the group `''`.
 *
 * @param on sums of other records under the same query, to which these are added
 */
export function sumUsage(
  records: readonly UsageRecord[],
  { since, by, keyId }: UsageQuery,
  on: readonly UsageTotal[] = [],
): UsageTotal[] {
  const sums = new Map(on.map((total) => [total.group, total]))
  for (const record of records) {
    if (record.at < since || (keyId !== undefined && !isOfKey(record.keyId, keyId))) continue
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
