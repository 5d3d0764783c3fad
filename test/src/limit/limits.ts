import type { KeyLimits } from '../../../src/limit/key-limits.ts'

/** The first moment of 2026 in UTC, where fake clocks start. */
export const START = Date.UTC(2026, 0, 1)

/** Limits of a key that has none but those in `fields`. */
export function limitsOf(fields: Partial<KeyLimits>): KeyLimits {
  return {
    requestsPerMinute: undefined,
    burst: 10,
    tokensPerMinute: undefined,
    tokensPerDay: undefined,
    concurrent: undefined,
    waiting: 32,
    maxOutputTokens: undefined,
    timeZone: 'UTC',
    ...fields,
  }
}
