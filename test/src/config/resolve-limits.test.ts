import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type * as z from 'zod'
import type { defaultLimits, keyLimits } from '../../../src/config/limits-schema.ts'
import { resolveLimits } from '../../../src/config/resolve-limits.ts'
import type { KeyLimits } from '../../../src/limit/key-limits.ts'
import { limitsOf } from '../limit/limits.ts'

type Written = z.output<typeof keyLimits>

function resolved(key: Written, file: Partial<z.output<typeof defaultLimits>> = {}): KeyLimits {
  return resolveLimits(key, { timeZone: 'UTC', ...file })
}

test('a key of which nobody says anything has a generous rate and no other limit', () => {
  expect(resolved({})).toEqual(limitsOf({ requestsPerMinute: 240, burst: 40, waiting: 32 }))
})

test('what the file says is for all keys', () => {
  const file = {
    requestsPerMinute: 60,
    tokensPerMinute: 1000,
    tokensPerDay: 2000,
    concurrent: 3,
    waiting: 4,
    maxOutputTokens: 5,
    timeZone: 'Europe/Berlin',
  }
  expect(resolved({}, file)).toEqual({ ...file, burst: 10 })
})

test('what the key says itself counts before what the file says', () => {
  expect(
    resolved(
      { tokensPerDay: 7, waiting: 0, maxOutputTokens: 8 },
      { tokensPerDay: 2000, waiting: 4, concurrent: 3, maxOutputTokens: undefined },
    ),
  ).toEqual(
    limitsOf({
      requestsPerMinute: 240,
      burst: 40,
      tokensPerDay: 7,
      waiting: 0,
      concurrent: 3,
      maxOutputTokens: 8,
    }),
  )
})

test('null lifts a limit, for one key or for all', () => {
  const file = { requestsPerMinute: null, tokensPerDay: 2000, concurrent: 3 }
  expect([
    resolved({ tokensPerDay: null, concurrent: null }, file),
    resolved({ requestsPerMinute: null }, { requestsPerMinute: 60 }),
  ]).toEqual([limitsOf({}), limitsOf({})])
})

test('a member that is undefined says nothing', () => {
  expect(resolved({ tokensPerDay: undefined }, { tokensPerDay: 2000 }).tokensPerDay).toBe(2000)
})

describe('the burst', () => {
  test.each<[number | null, number]>([
    [1, 1],
    [5, 5],
    [10, 10],
    [12, 10],
    [60, 10],
    [61, 11],
    [240, 40],
    [6000, 1000],
    [null, 10],
  ])('of %j requests per minute is %d', (requestsPerMinute, burst) => {
    expect(resolved({ requestsPerMinute }).burst).toBe(burst)
  })

  test.each<[string, Written, Written, number]>([
    ['of the key', { burst: 3 }, { burst: 20 }, 3],
    ['of the file', {}, { burst: 20 }, 20],
    ['of the file beside the rate of the file', {}, { burst: 20, requestsPerMinute: 60 }, 20],
    ['of its own rate before that of the file', { requestsPerMinute: 60 }, { burst: 20 }, 10],
    ['of the key beside its own rate', { requestsPerMinute: 60, burst: 50 }, { burst: 20 }, 50],
    ['of no rate before that of the file', { requestsPerMinute: null }, { burst: 20 }, 10],
  ])('is that %s', (...row) => {
    const [, key, file, burst] = row
    expect(resolved(key, file).burst).toBe(burst)
  })
})

test('each limit is the one that was said nearest, and no burst exceeds what a minute allows', () => {
  const most = fc.option(fc.option(fc.integer({ min: 1, max: 1e12 })), { nil: undefined })
  const written: fc.Arbitrary<Written> = fc.record({
    requestsPerMinute: most,
    tokensPerMinute: most,
    tokensPerDay: most,
    concurrent: most,
    maxOutputTokens: most,
  })
  fc.assert(
    fc.property(written, written, (key, file) => {
      const limits = resolved(key, file)
      for (const name of [
        'tokensPerMinute',
        'tokensPerDay',
        'concurrent',
        'maxOutputTokens',
      ] as const) {
        const [first] = [key[name], file[name]].filter((said) => said !== undefined)
        expect(limits[name]).toBe(first ?? undefined)
      }
      expect(limits.burst).toBeGreaterThanOrEqual(1)
      expect(limits.burst).toBeLessThanOrEqual(Math.max(10, limits.requestsPerMinute ?? 10))
    }),
  )
})
