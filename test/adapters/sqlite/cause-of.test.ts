import { expect, test } from 'vitest'
import { causeOf } from '../../../adapters/sqlite/cause-of.ts'

test('the cause is what an error says, or whatever else was thrown, as text', () => {
  expect([new Error('disk full'), 'a text', 7, undefined].map(causeOf)).toEqual([
    'disk full',
    'a text',
    '7',
    'undefined',
  ])
})
