import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { dayOf, startOfDay } from '../../../src/limit/calendar.ts'

const HOUR_MS = 3_600_000

describe('the day of a moment', () => {
  test.each([
    ['UTC', '2026-01-01T00:00:00Z', { day: '2026-01-01', endsAt: '2026-01-02T00:00:00Z' }],
    ['UTC', '2026-01-01T23:59:59.999Z', { day: '2026-01-01', endsAt: '2026-01-02T00:00:00Z' }],
    [
      'Europe/Berlin',
      '2026-03-29T12:00:00Z',
      { day: '2026-03-29', endsAt: '2026-03-29T22:00:00Z' },
    ],
    [
      'Europe/Berlin',
      '2026-10-25T00:00:00Z',
      { day: '2026-10-25', endsAt: '2026-10-25T23:00:00Z' },
    ],
    [
      'America/New_York',
      '2026-01-01T04:59:59Z',
      { day: '2025-12-31', endsAt: '2026-01-01T05:00:00Z' },
    ],
    [
      'Asia/Kathmandu',
      '2026-01-01T18:14:59Z',
      { day: '2026-01-01', endsAt: '2026-01-01T18:15:00Z' },
    ],
    ['Africa/Cairo', '2026-04-23T12:00:00Z', { day: '2026-04-23', endsAt: '2026-04-23T22:00:00Z' }],
    ['Africa/Cairo', '2026-04-24T12:00:00Z', { day: '2026-04-24', endsAt: '2026-04-24T21:00:00Z' }],
    ['Pacific/Apia', '2011-12-30T09:59:59Z', { day: '2011-12-29', endsAt: '2011-12-30T10:00:00Z' }],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', { day: '2011-12-31', endsAt: '2011-12-31T10:00:00Z' }],
    [
      'Pacific/Kiritimati',
      '2026-01-01T09:59:00Z',
      { day: '2026-01-01', endsAt: '2026-01-01T10:00:00Z' },
    ],
  ])('in %s at %s is right', (timeZone, at, { day, endsAt }) => {
    expect(dayOf(Date.parse(at), timeZone)).toEqual({ day, endsAt: Date.parse(endsAt) })
  })

  test.each([
    ['Europe/Berlin', '2026-03-29T00:30:00+01:00', 23],
    ['Europe/Berlin', '2026-10-25T00:30:00+02:00', 25],
    ['Europe/Berlin', '2026-06-01T00:30:00+02:00', 24],
  ])('in %s at %s belongs to a day of %i hours', (timeZone, at, hours) => {
    const begins = dayOf(Date.parse(at) - HOUR_MS, timeZone).endsAt
    expect(dayOf(begins, timeZone).endsAt - begins).toBe(hours * HOUR_MS)
  })

  test('is the same in whatever order moments are asked for, and ends where another begins', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe')
    const moments = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2030, 0, 1) })
    fc.assert(
      fc.property(zones, moments, (timeZone, at) => {
        const { day, endsAt } = dayOf(at, timeZone)
        const next = dayOf(endsAt, timeZone)
        expect([
          dayOf(at, timeZone),
          dayOf(endsAt - 1, timeZone),
          endsAt > at,
          next.day > day,
        ]).toEqual([{ day, endsAt }, { day, endsAt }, true, true])
      }),
      { numRuns: 100 },
    )
  })

  test('asks Intl once per zone and day', () => {
    const noon = Date.UTC(2031, 5, 1, 12)
    dayOf(noon, 'Europe/Paris')
    dayOf(noon, 'America/Lima')
    const ask = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts')
    for (let i = 0; i < 1000; i++) {
      dayOf(noon + i * 1000, 'Europe/Paris')
      dayOf(noon + i * 1000, 'America/Lima')
    }
    const callsOfOneDay = ask.mock.calls.length
    dayOf(noon + 24 * HOUR_MS, 'Europe/Paris')
    const callsOfTheNext = ask.mock.calls.length
    ask.mockRestore()
    expect([callsOfOneDay, callsOfTheNext > 0]).toEqual([0, true])
  })

  test('is known for more zones than are remembered', () => {
    const zones = Intl.supportedValuesOf('timeZone')
    const at = Date.UTC(2026, 0, 1, 12)
    const days = new Set(zones.map((timeZone) => dayOf(at, timeZone).day))
    expect(days).toEqual(new Set(['2026-01-01', '2026-01-02']))
  })

  test('of a zone is not remembered for ever where hundreds are asked for', () => {
    const [first = 'UTC', ...others] = Intl.supportedValuesOf('timeZone')
    const at = Date.UTC(2032, 0, 1, 12)
    for (const timeZone of [first, ...others]) dayOf(at, timeZone)
    const ask = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts')
    dayOf(at, first)
    const calls = ask.mock.calls.length
    ask.mockRestore()
    expect(calls).toBeGreaterThan(0)
  })

  test('does not exist in a zone that does not exist', () => {
    expect(() => dayOf(0, 'Nowhere/Land')).toThrow(RangeError)
  })
})

describe('the start of a day', () => {
  test.each([
    ['2026-01-31', 'Europe/Berlin', '2026-01-30T23:00:00Z'],
    ['2026-07-01', 'America/New_York', '2026-07-01T04:00:00Z'],
    ['2026-01-01', 'Pacific/Kiritimati', '2025-12-31T10:00:00Z'],
    ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
  ])('of %s in %s is %s', (day, timeZone, start) => {
    expect(startOfDay(day, timeZone)).toBe(Date.parse(start))
  })

  test('is the first moment of that day, for any moment in it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2012, 0, 1), max: Date.UTC(2040, 0, 1) }),
        fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Africa/Cairo', 'Asia/Tokyo'),
        (moment, timeZone) => {
          const { day } = dayOf(moment, timeZone)
          const start = startOfDay(day, timeZone)
          expect(start).toBeLessThanOrEqual(moment)
          expect(dayOf(start, timeZone).day).toBe(day)
          expect(dayOf(start - 1, timeZone).day < day).toBe(true)
        },
      ),
    )
  })
})
