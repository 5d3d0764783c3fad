import { expect, test } from 'vitest'
import { machineFacts } from '../../../adapters/cli/machine-facts.ts'

test.each([
  ['sk-1', 'sk-1', true],
  ['sk-1', 'Bearer sk-1', true],
  ['Bearer sk-1', ' sk-1\n', true],
  ['sk-1', 'sk-2', false],
  ['sk-1', 'sk-11', false],
  ['', '', false],
  [undefined, '', false],
])('that a variable with %j holds %j is %j', (value, literal, expected) => {
  const env = value === undefined ? {} : { MINE: value }
  expect(machineFacts([], 'MINE', env).holds('MINE', literal)).toBe(expected)
})

test.each([
  ['1', true],
  ['True', true],
  ['0', false],
  ['yes', false],
  ['', false],
  [undefined, false],
])(
  'that OpenCode does not compact with OPENCODE_DISABLE_AUTOCOMPACT=%s is %j',
  (value, expected) => {
    const env = { OPENCODE_DISABLE_AUTOCOMPACT: value }
    expect(machineFacts([], 'MINE', env).isCompactionOff).toBe(expected)
  },
)
