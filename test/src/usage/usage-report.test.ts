import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readSince, usageReport } from '../../../src/usage/usage-report.ts'
import { usageTotal } from '../../contracts/usage-store.ts'

const NOW = Date.UTC(2026, 0, 31, 12)

describe('since', () => {
  test.each([
    ['2026-01-01', '2026-01-01T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2026-01-01T10:30:00Z', '2026-01-01T10:30:00.000Z'],
    ['2026-01-01T10:30:00.250Z', '2026-01-01T10:30:00.250Z'],
    ['2026-01-01T10:30:00+02:00', '2026-01-01T08:30:00.000Z'],
    ['2026-01-01T10:30:00 02:00', '2026-01-01T08:30:00.000Z'],
    ['2026-01-01T10:30:00-02:00', '2026-01-01T12:30:00.000Z'],
    ['30m', '2026-01-31T11:30:00.000Z'],
    ['24h', '2026-01-30T12:00:00.000Z'],
    ['7d', '2026-01-24T12:00:00.000Z'],
    ['0m', '2026-01-31T12:00:00.000Z'],
  ])('%s is %s', (text, moment) => {
    expect(readSince(text, NOW, 'UTC')).toBe(Date.parse(moment))
  })

  test('a day begins when it begins in the zone of the gate', () => {
    expect([
      readSince('2026-01-31', NOW, 'Europe/Berlin'),
      readSince('2026-07-01', NOW, 'America/New_York'),
    ]).toEqual([Date.parse('2026-01-30T23:00:00Z'), Date.parse('2026-07-01T04:00:00Z')])
  })

  test.each(
    [
      ['', 'd', '7', '7w', '7D', '-7d', '1.5h', ' 7d', '7d ', '999999d', '1e3d'],
      ['yesterday', '1767225600000', '01.02.2026', '2026-1-1', '2026-02-29', '2026-13-01'],
      ['2026-01-01T10:30:00', '2026-01-01T25:00:00Z', '2026-01-01 10:30:00Z', '2026-01-01T'],
    ].flat(),
  )('"%s" names no moment', (text) => {
    expect(readSince(text, NOW, 'UTC')).toBeUndefined()
  })

  test('is the same moment when it is read back from a report', () => {
    const anyTime = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) })
    fc.assert(
      fc.property(anyTime, (time) => {
        const { since } = usageReport({ since: time, by: 'key', keyId: undefined }, [], NOW)
        expect(readSince(since, NOW, 'UTC')).toBe(time)
      }),
    )
  })

  test('is never later than now where it is a length, and always a moment that can be told', () => {
    fc.assert(
      fc.property(fc.nat(99_999), fc.constantFrom('m', 'h', 'd'), (count, unit) => {
        const since = readSince(`${count}${unit}`, NOW, 'UTC')
        expect(since).toBeLessThanOrEqual(NOW)
        expect(new Date(since!).toISOString()).toMatch(/^\d{4}-/)
      }),
    )
  })
})

describe('a report', () => {
  const SINCE = Date.UTC(2026, 0, 1)

  test('tells each group and the sum of all', () => {
    const totals = [
      usageTotal('', 1, { completed: 0, promptTokens: 0, cachedTokens: 0, completionTokens: 0 }),
      usageTotal('glm', 2, { estimated: 1 }),
    ]
    expect(usageReport({ since: SINCE, by: 'model', keyId: undefined }, totals, NOW)).toEqual({
      object: 'usage',
      since: '2026-01-01T00:00:00.000Z',
      until: '2026-01-31T12:00:00.000Z',
      by: 'model',
      key: null,
      data: [
        {
          model: null,
          requests: 1,
          completed: 0,
          prompt_tokens: 0,
          cached_tokens: 0,
          completion_tokens: 0,
          total_tokens: 0,
          estimated_requests: 0,
          queue_ms: 5,
          duration_ms: 1_000,
          bytes_in: 300,
          bytes_out: 900,
        },
        {
          model: 'glm',
          requests: 2,
          completed: 2,
          prompt_tokens: 200,
          cached_tokens: 80,
          completion_tokens: 14,
          total_tokens: 214,
          estimated_requests: 1,
          queue_ms: 10,
          duration_ms: 2_000,
          bytes_in: 600,
          bytes_out: 1_800,
        },
      ],
      total: {
        requests: 3,
        completed: 2,
        prompt_tokens: 200,
        cached_tokens: 80,
        completion_tokens: 14,
        total_tokens: 214,
        estimated_requests: 1,
        queue_ms: 15,
        duration_ms: 3_000,
        bytes_in: 900,
        bytes_out: 2_700,
      },
    })
  })

  test.each(['key', 'model', 'day'] as const)('by %s names its groups so, first', (by) => {
    const report = usageReport({ since: SINCE, by, keyId: undefined }, [usageTotal('x', 1)], NOW)
    expect(report.data.map((entry) => Object.entries(entry)[0])).toEqual([[by, 'x']])
  })

  test('of one key that has used nothing is all zero', () => {
    const zero = {
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
    expect(usageReport({ since: SINCE, by: 'day', keyId: 'laptop' }, [], NOW)).toEqual({
      object: 'usage',
      since: '2026-01-01T00:00:00.000Z',
      until: '2026-01-31T12:00:00.000Z',
      by: 'day',
      key: 'laptop',
      data: [],
      total: zero,
    })
  })
})
