import { expect, test } from 'vitest'
import { entries, field, texts } from '../../../src/json/read-unknown.ts'

test('a field is found in objects and lists, and nowhere else', () => {
  expect([
    field({ a: 1 }, 'a'),
    field(['x'], '0'),
    field({ a: 1 }, 'b'),
    field(null, 'a'),
    field(undefined, 'a'),
    field('text', 'length'),
    field(7, 'a'),
  ]).toEqual([1, 'x', undefined, undefined, undefined, undefined, undefined])
})

test('a field is never an inherited one', () => {
  expect(['constructor', '__proto__', 'toString'].map((name) => field({}, name))).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(field(JSON.parse('{"__proto__":1}'), '__proto__')).toBe(1)
})

test('entries are the own fields of an object', () => {
  expect([entries({ a: 1, b: null }), entries(null), entries('ab'), entries(undefined)]).toEqual([
    [
      ['a', 1],
      ['b', null],
    ],
    [],
    [],
    [],
  ])
})

test('texts are the strings in a list', () => {
  expect([
    texts(['a', 1, null, 'b', ['c']]),
    texts('ab'),
    texts({ 0: 'a' }),
    texts(undefined),
  ]).toEqual([['a', 'b'], [], [], []])
})
