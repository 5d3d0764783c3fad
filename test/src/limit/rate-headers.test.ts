import { describe, expect, test } from 'vitest'
import { formatDuration, rateHeaders } from '../../../src/limit/rate-headers.ts'
import { START } from './limits.ts'

const requests = { limit: 60, remaining: 9, resetMs: 1500 }
const tokens = { limit: 1000, remaining: 0, resetMs: 360_000 }

describe('what is left', () => {
  test('is told to OpenAI clients with durations', () => {
    expect(rateHeaders({ requests, tokens }, 'openai', START)).toEqual([
      ['x-ratelimit-limit-requests', '60'],
      ['x-ratelimit-remaining-requests', '9'],
      ['x-ratelimit-reset-requests', '1.5s'],
      ['x-ratelimit-limit-tokens', '1000'],
      ['x-ratelimit-remaining-tokens', '0'],
      ['x-ratelimit-reset-tokens', '6m0s'],
    ])
  })

  test('is told to Anthropic clients with points in time', () => {
    expect(rateHeaders({ requests, tokens }, 'anthropic', START)).toEqual([
      ['anthropic-ratelimit-requests-limit', '60'],
      ['anthropic-ratelimit-requests-remaining', '9'],
      ['anthropic-ratelimit-requests-reset', '2026-01-01T00:00:02Z'],
      ['anthropic-ratelimit-tokens-limit', '1000'],
      ['anthropic-ratelimit-tokens-remaining', '0'],
      ['anthropic-ratelimit-tokens-reset', '2026-01-01T00:06:00Z'],
    ])
  })

  test('is told only of limits that the key has', () => {
    const none = { requests: undefined, tokens: undefined }
    const names = (['openai', 'anthropic'] as const).map((dialect) => [
      rateHeaders(none, dialect, START),
      rateHeaders({ ...none, tokens }, dialect, START).map(([name]) => name),
    ])
    expect(names).toEqual([
      [
        [],
        ['x-ratelimit-limit-tokens', 'x-ratelimit-remaining-tokens', 'x-ratelimit-reset-tokens'],
      ],
      [
        [],
        [
          'anthropic-ratelimit-tokens-limit',
          'anthropic-ratelimit-tokens-remaining',
          'anthropic-ratelimit-tokens-reset',
        ],
      ],
    ])
  })
})

test.each([
  [0, '0s'],
  [1, '1ms'],
  [12, '12ms'],
  [999, '999ms'],
  [1000, '1s'],
  [1500, '1.5s'],
  [59_999, '59.999s'],
  [60_000, '1m0s'],
  [61_001, '1m1.001s'],
  [360_000, '6m0s'],
  [3_600_000, '1h0m0s'],
  [86_399_999, '23h59m59.999s'],
])('%i ms are written as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})
