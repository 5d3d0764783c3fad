import * as z from 'zod'
import { startOfDay } from '../limit/calendar.ts'
import type { UsageQuery, UsageTotal } from './usage-store.ts'

/** The sums of a report, in the names of its JSON. Times in milliseconds. */
export type ReportedSums = {
  requests: number
  completed: number
  prompt_tokens: number
  cached_tokens: number
  completion_tokens: number
  total_tokens: number
  estimated_requests: number
  queue_ms: number
  duration_ms: number
  bytes_in: number
  bytes_out: number
}

/** The answer of `GET /usage`. */
export type UsageReport = {
  object: 'usage'
  /** RFC 3339, as is `until`. */
  since: string
  until: string
  by: UsageQuery['by']
  /** The only key that was counted; null: all keys. */
  key: string | null
  /** One entry per group, which stands in a field named as `by` says; null where a request named no model. */
  data: Array<ReportedSums & { [group in UsageQuery['by']]?: string | null }>
  total: ReportedSums
}

/** Builds the report of totals that were asked for at `until` (epoch milliseconds). */
export function usageReport(
  { since, by, keyId }: UsageQuery,
  totals: readonly UsageTotal[],
  until: number,
): UsageReport {
  const sums = totals.map(reported)
  return {
    object: 'usage',
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
    by,
    key: keyId ?? null,
    data: sums.map((sum, index) => ({ [by]: totals[index]?.group || null, ...sum })),
    total: sums.reduce(added, NOTHING),
  }
}

function reported(total: UsageTotal): ReportedSums {
  return {
    requests: total.requests,
    completed: total.completed,
    prompt_tokens: total.promptTokens,
    cached_tokens: total.cachedTokens,
    completion_tokens: total.completionTokens,
    total_tokens: total.promptTokens + total.completionTokens,
    estimated_requests: total.estimated,
    queue_ms: total.queueMs,
    duration_ms: total.durationMs,
    bytes_in: total.bytesIn,
    bytes_out: total.bytesOut,
  }
}

const NOTHING: ReportedSums = {
  requests: 0,
  completed: 0,
  prompt_tokens: 0,
  cached_tokens: 0,
  completion_tokens: 0,
  total_tokens: 0,
  estimated_requests: 0,
  queue_ms: 0,
  duration_ms: 0,
  bytes_in: 0,
  bytes_out: 0,
}

function added(a: ReportedSums, b: ReportedSums): ReportedSums {
  return {
    requests: a.requests + b.requests,
    completed: a.completed + b.completed,
    prompt_tokens: a.prompt_tokens + b.prompt_tokens,
    cached_tokens: a.cached_tokens + b.cached_tokens,
    completion_tokens: a.completion_tokens + b.completion_tokens,
    total_tokens: a.total_tokens + b.total_tokens,
    estimated_requests: a.estimated_requests + b.estimated_requests,
    queue_ms: a.queue_ms + b.queue_ms,
    duration_ms: a.duration_ms + b.duration_ms,
    bytes_in: a.bytes_in + b.bytes_in,
    bytes_out: a.bytes_out + b.bytes_out,
  }
}

const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const DAY = z.iso.date()
const TIME = z.iso.datetime({ offset: true })

/**
 * The moment that a text names, in epoch milliseconds; undefined where it names none. A day (YYYY-MM-DD) begins at
 * midnight in `timeZone`, a time is RFC 3339, and a length such as 30m, 24h or 7d counts back from `now`.
 */
export function readSince(text: string, now: number, timeZone: string): number | undefined {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  if (unit !== undefined) return now - Number(count) * (UNIT_MS[unit] ?? 0)
  // In a query an unescaped "+" is a space.
  const time = text.replace(/ (?=\d\d:\d\d$)/, '+')
  if (DAY.safeParse(time).success) return startOfDay(time, timeZone)
  return TIME.safeParse(time).success ? Date.parse(time) : undefined
}
