import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readJson } from '../../../src/config/read-json.ts'

const NOT_JSON = 'not valid JSON (comments and trailing commas are not allowed)'
const BAD_STRING =
  'not valid JSON: a string holds a line break or a bad escape (a backslash is written as \\\\)'

function fault(text: string): string {
  const read = readJson(text)
  return read.ok ? 'none' : read.message
}

test('a JSON object is read', () => {
  expect(readJson('{"a":[1,"x",null],"ü":{"b":true}}')).toEqual({
    ok: true,
    value: { a: [1, 'x', null], ü: { b: true } },
  })
})

describe('a fault is told with line and column', () => {
  test.each([
    ['an empty file', '', 'line 1, column 1: the file must hold one JSON object: { … }'],
    ['a list', '\n  []', 'line 2, column 3: the file must hold one JSON object: { … }'],
    ['a bare text', '"sk-1"', 'line 1, column 1: the file must hold one JSON object: { … }'],
    ['a comment', '{\n  // hello\n}', `line 2, column 3: ${NOT_JSON}`],
    ['a trailing comma', '{\n  "a": 1,\n}', `line 3, column 1: ${NOT_JSON}`],
    ['a missing comma', '{\n  "a": 1\n  "b": 2\n}', `line 3, column 3: ${NOT_JSON}`],
    ['a missing brace', '{"a": 1', `line 1, column 8: ${NOT_JSON}`],
    ['something behind the end', '{}\n{}', `line 2, column 1: ${NOT_JSON}`],
    ['single quotes', "{'a': 1}", `line 1, column 2: ${NOT_JSON}`],
    ['a word', '{"a": yes}', `line 1, column 7: ${NOT_JSON}`],
    ['letters of several bytes before it', '{"ü😀": x}', `line 1, column 9: ${NOT_JSON}`],
    ['Windows line ends', '{\r\n  "a": x\r\n}', `line 2, column 8: ${NOT_JSON}`],
    [
      'a field twice',
      '{"keys": [],\n "keys": []}',
      'line 2, column 2: "keys" is given twice; keep one',
    ],
    [
      'a field twice, once escaped',
      '{"a":1,"\\u0061":2}',
      'line 1, column 8: "a" is given twice; keep one',
    ],
    ['too many brackets', `{"a":${'['.repeat(200)}`, 'line 1, column 133: nested too deeply'],
    ['a line break in a string', '{\n  "a": "x\n"}', `line 2, column 10: ${BAD_STRING}`],
    ['a tab in a string', '{"a": "x\ty"}', `line 1, column 9: ${BAD_STRING}`],
    ['a path of Windows', '{"b": "\\"",\n "a": "C:\\Models"}', `line 2, column 10: ${BAD_STRING}`],
    ['half an escape', '{"a": "\\u12G4"}', `line 1, column 8: ${BAD_STRING}`],
    ['an escape in the wrong case', '{"a": "\\N"}', `line 1, column 8: ${BAD_STRING}`],
  ])('%s', (_what, text, message) => {
    expect(fault(text)).toBe(message)
  })

  test('also in a very long string', () => {
    expect(fault(`{"a":"${'x'.repeat(1_000_000)}\n"}`)).toBe(
      `line 1, column 1000007: ${BAD_STRING}`,
    )
  })
})

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

describe('every text', () => {
  test('that JSON.parse takes for an object is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (object, indent) => {
        const text = JSON.stringify(object, null, indent)
        expect(readJson(text)).toEqual({ ok: true, value: JSON.parse(text) })
      }),
    )
  })

  test('that JSON.parse refuses is refused with a place', () => {
    const sign = fc.constantFrom('{', '}', '"', '\\', ':', ',', 'a', '1', '\n', '\t', ' ', 'ü')
    const text = fc.array(sign, { maxLength: 12 }).map((signs) => `{"a":"${signs.join('')}"}`)
    fc.assert(
      fc.property(text, (written) => {
        const parsed = parsedOrUndefined(written)
        const read = readJson(written)
        const place = read.ok ? 'none' : read.message.split(': ')[0]
        expect(place).toMatch(read.ok ? /^none$/ : /^line \d+, column \d+$/)
        expect(read.ok ? read.value : parsed).toEqual(parsed)
        expect(read.ok && parsed === undefined).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })
})
