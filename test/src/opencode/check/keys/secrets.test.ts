import { describe, expect, test } from 'vitest'
import {
  isFileName,
  isVariableName,
  variableElsewhere,
  withoutKeys,
} from '../../../../../src/opencode/check/keys/secrets.ts'

const HEX = 'c0ffee'.repeat(5)

describe('a text in the place of a name of a variable', () => {
  test.each([
    ['LLAMA_SWAP_API_KEY', []],
    ['LLAMA_SWAP_API_KEY_OF_THE_SECOND_BOX_2', []],
    ['my_key_of_the_work_box', []],
    ['_key1', []],
    [HEX, [HEX]],
    ['A'.repeat(41), ['A'.repeat(41)]],
  ])('is one: %s, set: %j', (name, set) => {
    expect(isVariableName(name, new Set(set))).toBe(true)
  })

  test.each([
    ['', []],
    ['sk-very-secret', ['sk-very-secret']],
    ['0123', []],
    [HEX, ['PATH']],
    ['a1b2c3d4e5f6g7h8i9j0', []],
    ['A'.repeat(41), []],
  ])('may be a key: %s, set: %j', (name, set) => {
    expect(isVariableName(name, new Set(set))).toBe(false)
  })
})

describe('a text in the place of the path of a file', () => {
  test.each(['./key', '~/.secrets/llama-swap', 'key.txt', '/run/secrets/box_1'])(
    'is one: %s',
    (name) => expect(isFileName(name)).toBe(true),
  )

  test.each([
    'key',
    HEX,
    'sk-very-secret',
    './sk-very-secret',
    `./${HEX}`,
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x',
    'YWJj/ZGVm=',
    'A'.repeat(41),
  ])('may be a key: %s', (name) => expect(isFileName(name)).toBe(false))
})

test('words of others are repeated without what looks like a key, and without the one that was sent', () => {
  expect(withoutKeys('no: sk-0123456789abcdef, my own', 'my own')).toBe('no: <a key>, <the key>')
})

test.each([
  ['${A_KEY}', 'A_KEY'],
  ['${a_key}', 'a_key'],
  ['${env:A_KEY}', 'A_KEY'],
  ['$A_KEY', 'A_KEY'],
  ['$env:A_KEY', 'A_KEY'],
  ['%A_KEY%', 'A_KEY'],
  ['Bearer ${A_KEY}', 'A_KEY'],
  [' bearer  $A_KEY ', 'A_KEY'],
  ['$mine', 'mine'],
  ['$yours', undefined],
  ['$KEY_2', 'KEY_2'],
  ['$A1B2C3D4E5F6G7H8I9J0', undefined],
  ['{env:A_KEY}', undefined],
  ['A_KEY', undefined],
  ['x${A_KEY}', undefined],
  ['${A-KEY}', undefined],
  [`\${a${HEX}}`, undefined],
  ['sk-0123', undefined],
  ['', undefined],
])('of %j the shell makes the variable %s', (text, name) => {
  expect(variableElsewhere(text, new Set(['mine']))).toBe(name)
})
