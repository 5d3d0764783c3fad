import { expect, test } from 'vitest'
import { milliseconds, MOST_MS } from '../../../src/config/milliseconds.ts'

const schema = milliseconds(30_000, 'How long.')

test.each([
  ['nothing, which is the default', undefined, 30_000],
  ['none at all', 0, 0],
  ['the longest that a timer can wait', MOST_MS, MOST_MS],
])('a length of time may be %s', (_what, written, expected) => {
  expect(schema.parse(written)).toBe(expected)
})

test.each([-1, 0.5, MOST_MS + 1, '1', null])('a length of time is not %j', (written) => {
  expect(schema.safeParse(written).success).toBe(false)
})

test('it is described by the words that were given', () => {
  expect(schema.description).toBe('How long.')
})
