import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ElapsedTime } from '../../../src/queue/elapsed-time.ts'

test('begins with the first event and follows the clock', () => {
  const time = new ElapsedTime()
  expect(time.now).toBe(0)
  time.advance(5_000)
  expect(time.now).toBe(0)
  time.advance(5_700)
  expect({ now: time.now, wall: time.toWall(1_000) }).toEqual({ now: 700, wall: 6_000 })
})

test('stands still while the clock is set back, and goes on from there', () => {
  const time = new ElapsedTime()
  time.advance(10_000)
  time.advance(12_000)
  time.advance(3_000)
  expect({ now: time.now, wall: time.toWall(2_500) }).toEqual({ now: 2_000, wall: 3_500 })
  time.advance(3_400)
  expect(time.now).toBe(2_400)
})

test('never goes back, however the clock is set', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (walls) => {
      const time = new ElapsedTime()
      const seen = walls.map((wall) => {
        time.advance(wall)
        return time.now
      })
      expect(seen).toEqual(seen.toSorted((one, other) => one - other))
    }),
  )
})
