import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { OverflowGuard } from '../../../src/http/overflow-guard.ts'

const MINUTE = 60_000

test('the fourth overflow in a row and all after it are too many', () => {
  const guard = new OverflowGuard()
  expect(Array.from({ length: 6 }, () => guard.overflowed('a', 0))).toEqual([
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
  [-30 * MINUTE, false],
])('after %i ms the row goes on: %j', (ms, goesOn) => {
  const guard = new OverflowGuard()
  for (let i = 0; i < 3; i++) guard.overflowed('a', 0)
  expect(guard.overflowed('a', ms)).toBe(goesOn)
})

test('of more than a thousand sessions the one that was quiet for longest is forgotten', () => {
  const guard = new OverflowGuard()
  for (const session of ['quiet', 'quiet', 'quiet', 'loud', 'loud']) guard.overflowed(session, 0)
  for (let i = 0; i < 998; i++) guard.overflowed(`${i}`, 0)
  guard.overflowed('loud', 0)
  guard.overflowed('new', 0)
  expect([guard.overflowed('loud', 0), guard.overflowed('quiet', 0)]).toEqual([true, false])
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
        const isTold = fits ? guard.fitted(session) : guard.overflowed(session, now)
        expect(isTold).toBe(fits ? undefined : before >= 3)
      }
    }),
  )
})
