import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { OverflowGuard, type TooLong } from '../../../src/http/overflow-guard.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** A prompt that took no time at all, at `now`. */
function tooLong(now: number, more: Partial<TooLong> = {}): TooLong {
  return { acceptedAt: now, now, bytes: 300_000, tokens: 70_000, ...more }
}

/** Prompts of these lengths, one after the other. */
function verdictsOn(lengths: readonly number[], unit: 'tokens' | 'bytes' = 'tokens'): boolean[] {
  const guard = new OverflowGuard()
  return lengths.map((length, at) => {
    const sizes = unit === 'tokens' ? { tokens: length } : { tokens: undefined, bytes: length }
    return guard.overflowed('a', tooLong(at * SECOND, sizes))
  })
}

test('the fourth overflow in a row and all after it are too many', () => {
  const guard = new OverflowGuard()
  expect(Array.from({ length: 6 }, () => guard.overflowed('a', tooLong(0)))).toEqual([
    false,
    false,
    false,
    true,
    true,
    true,
  ])
})

test.each([
  [30 * MINUTE - 1, true],
  [30 * MINUTE, false],
])('after %i ms the row goes on: %j', (ms, goesOn) => {
  const guard = new OverflowGuard()
  for (let i = 0; i < 3; i++) guard.overflowed('a', tooLong(0))
  expect(guard.overflowed('a', tooLong(ms))).toBe(goesOn)
})

test('a clock that jumps back for half an hour begins the row anew', () => {
  const guard = new OverflowGuard()
  for (let i = 0; i < 3; i++) guard.overflowed('a', tooLong(0))
  const jumped = tooLong(-30 * MINUTE)
  expect(Array.from({ length: 4 }, () => guard.overflowed('a', jumped))).toEqual([
    false,
    false,
    false,
    true,
  ])
})

test('of more than a thousand sessions the one that was quiet for longest is forgotten', () => {
  const guard = new OverflowGuard()
  for (const session of ['quiet', 'quiet', 'quiet', 'loud', 'loud'])
    guard.overflowed(session, tooLong(0))
  for (let i = 0; i < 998; i++) guard.overflowed(`${i}`, tooLong(0))
  guard.overflowed('loud', tooLong(0))
  guard.overflowed('new', tooLong(0))
  expect([guard.overflowed('loud', tooLong(0)), guard.overflowed('quiet', tooLong(0))]).toEqual([
    true,
    false,
  ])
})

test.each(['tokens', 'bytes'] as const)(
  'a client whose prompts get shorter goes on: %s',
  (unit) => {
    const lengths = [9000, 8000, 7000, 6000, 5600, 5300]
    expect(verdictsOn(lengths, unit)).toEqual(lengths.map(() => false))
  },
)

test.each([
  ['compacts to the same each time', [140_312, 70_418, 70_418, 70_418, 70_418]],
  ['writes a summary of another length each time', [140_312, 70_418, 69_902, 71_260, 70_077]],
  ['swings, and never gets below where it was', [140_312, 70_418, 75_900, 69_800, 75_700]],
  ['gets a little shorter each time', [140_312, 70_418, 69_000, 68_000, 67_000]],
])('OpenCode that %s is ended after its third prompt of that length', (_what, lengths) => {
  expect(verdictsOn(lengths)).toEqual([false, false, false, false, true])
})

test('one prompt that got shorter is enough to begin anew, also when its end was already told', () => {
  const lengths = [70_000, 70_000, 70_000, 70_000, 66_500, 66_499, 66_499, 66_499, 66_499]
  expect(verdictsOn(lengths)).toEqual([false, false, false, true, true, false, false, false, true])
})

test('lengths that cannot be compared count as the same', () => {
  const guard = new OverflowGuard()
  const sizes = [
    { tokens: 70_000, bytes: undefined },
    { tokens: undefined, bytes: 300 },
    { tokens: 70_000, bytes: undefined },
    { tokens: undefined, bytes: undefined },
  ]
  expect(sizes.map((size) => guard.overflowed('a', tooLong(0, size)))).toEqual([
    false,
    false,
    false,
    true,
  ])
})

test('requests that were under way at the same time count once', () => {
  const guard = new OverflowGuard()
  const burst = (startedAt: number): boolean[] =>
    Array.from({ length: 5 }, (_, i) =>
      guard.overflowed('a', tooLong(startedAt + SECOND + i, { acceptedAt: startedAt + i })),
    )
  const none = [false, false, false, false, false]
  const bursts = [0, 10, 20, 30].map((seconds) => burst(seconds * SECOND))
  expect(bursts).toEqual([none, none, none, [true, true, true, true, true]])
})

const steps = fc.array(
  fc.record({
    session: fc.constantFrom('a', 'b', 'c'),
    fits: fc.boolean(),
    ms: fc.nat(40 * MINUTE),
  }),
)

test('a session is told when its last three were too long, one after the other within half an hour', () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const guard = new OverflowGuard()
      const rows = new Map<string, { length: number; at: number }>()
      let now = 0
      for (const { session, fits, ms } of taken) {
        now += ms
        const row = rows.get(session)
        const before = row && now - row.at < 30 * MINUTE ? row.length : 0
        rows.set(session, { length: fits ? 0 : before + 1, at: now })
        const isTold = fits ? guard.fitted(session) : guard.overflowed(session, tooLong(now))
        expect(isTold).toBe(fits ? undefined : before >= 3)
      }
    }),
  )
})

test('whatever lengths a session swings between, it is ended', () => {
  const lengths = fc.array(fc.integer({ min: 1000, max: 200_000 }), {
    minLength: 500,
    maxLength: 500,
  })
  fc.assert(
    fc.property(lengths, (each) => {
      expect(verdictsOn(each)).toContain(true)
    }),
  )
})
