import { assert, nat, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { withoutSlash } from '../../../src/config/without-slash.ts'

test('an address loses the slashes at its end, and nothing else', () => {
  const slashes = nat({ max: 5 }).map((count) => '/'.repeat(count))
  const text = string().filter((each) => !each.endsWith('/'))
  assert(
    property(text, slashes, (address, end) => {
      expect(withoutSlash(address + end)).toBe(address)
    }),
  )
})

test('slashes within an address stay', () => {
  expect(withoutSlash('http://box//v1/')).toBe('http://box//v1')
})

test('many slashes with something behind them take no longer than other text', () => {
  // By the square of their number it would take minutes.
  const address = `http://box${'/'.repeat(400_000)}x`
  expect(withoutSlash(`${address}/`)).toBe(address)
})
