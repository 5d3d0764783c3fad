import { array, assert, constant, constantFrom, nat, oneof, property, tuple } from 'fast-check'
import { expect, test } from 'vitest'
import { LatestMap } from '../../../src/collections/latest-map.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const

test('a map of the latest three holds what was set last for each of the latest three names', () => {
  const name = constantFrom(...NAMES)
  const step = oneof(tuple(constant('set'), name, nat()), tuple(constant('delete'), name, nat()))
  assert(
    property(array(step), (steps) => {
      const map = new LatestMap<number>(3)
      let expected: Array<readonly [string, number]> = []
      for (const [what, key, value] of steps) {
        expected = expected.filter(([known]) => known !== key)
        if (what === 'delete') map.delete(key)
        else {
          map.set(key, value)
          expected = [...expected, [key, value] as const].slice(-3)
        }
      }
      const held = new Map(expected)
      expect(NAMES.map((key) => map.get(key))).toEqual(NAMES.map((key) => held.get(key)))
    }),
  )
})
