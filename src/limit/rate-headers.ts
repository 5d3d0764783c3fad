import type { HeaderPairs } from '../deps.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Gauge, Standing } from './limit-store.ts'

/**
 * What is left of a key's limits, in the header fields that the dialect's clients know; none for a limit that the key does
 * not have. `nowMs` is in epoch milliseconds.
 */
export function rateHeaders(standing: Standing, dialect: Dialect, nowMs: number): HeaderPairs {
  const { requests, tokens } = standing
  const told: Array<['requests' | 'tokens', Gauge]> = []
  if (requests) told.push(['requests', requests])
  if (tokens) told.push(['tokens', tokens])
  return told.flatMap(([what, gauge]) =>
    dialect === 'anthropic' ? anthropicFields(what, gauge, nowMs) : openaiFields(what, gauge),
  )
}

function openaiFields(what: string, { limit, remaining, resetMs }: Gauge): HeaderPairs {
  return [
    [`x-ratelimit-limit-${what}`, String(limit)],
    [`x-ratelimit-remaining-${what}`, String(remaining)],
    [`x-ratelimit-reset-${what}`, formatDuration(resetMs)],
  ]
}

/** Anthropic tells the point in time at which all is there again, in whole seconds (RFC 3339). */
function anthropicFields(
  what: string,
  { limit, remaining, resetMs }: Gauge,
  nowMs: number,
): HeaderPairs {
  const resetAt = new Date(Math.ceil((nowMs + resetMs) / 1000) * 1000)
  return [
    [`anthropic-ratelimit-${what}-limit`, String(limit)],
    [`anthropic-ratelimit-${what}-remaining`, String(remaining)],
    [`anthropic-ratelimit-${what}-reset`, resetAt.toISOString().replace('.000Z', 'Z')],
  ]
}

/** Milliseconds as `12ms`, `1.5s`, `6m0s` or `1h0m0s`, the way OpenAI's servers write them (Go's time.Duration). */
export function formatDuration(ms: number): string {
  if (ms > 0 && ms < 1000) return `${ms}ms`
  const seconds = `${(ms % 60_000) / 1000}s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes === 0) return seconds
  const hours = Math.floor(minutes / 60)
  return hours === 0 ? `${minutes}m${seconds}` : `${hours}h${minutes % 60}m${seconds}`
}
