import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeJson,
  scanJsonObject,
  type JsonScan,
  type ListSize,
} from '../../../src/body/scan-json.ts'
import { objectText, stringText } from './json-text.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

const scan = (text: string): JsonScan => scanJsonObject(encoder.encode(text))

/** The text of every member's value, as the scanner found it. */
function spansOf(text: string): Map<string, string> {
  const bytes = encoder.encode(text)
  const result = scanJsonObject(bytes)
  if (!result.ok) throw new Error(`${result.problem} at ${result.at} in ${text}`)
  return new Map(
    [...result.members].map(([name, { start, end }]) => [
      name,
      decoder.decode(bytes.subarray(start, end)),
    ]),
  )
}

const nameOf = (written: string): string => String(JSON.parse(written))

describe('against JSON.parse, which is the judge', () => {
  test('every object has the same names, and each span is exactly the text of its value', () => {
    fc.assert(
      fc.property(objectText, ({ text, members }) => {
        const names = members.map(({ name }) => nameOf(name))
        fc.pre(new Set(names).size === names.length)

        const spans = spansOf(text)

        expect(spans).toEqual(new Map(members.map(({ name, value }) => [nameOf(name), value])))
        const values = new Map([...spansOf(text)].map(([name, span]) => [name, JSON.parse(span)]))
        expect(values).toEqual(new Map(Object.entries(JSON.parse(text))))
      }),
      { numRuns: 2000 },
    )
  })

  test('each list is counted without being built: its entries, and the numbers among them', () => {
    fc.assert(
      fc.property(objectText, ({ text, members }) => {
        const result = scan(text)
        fc.pre(result.ok)
        const sizes = new Map([...result.members].map(([name, span]) => [name, span.list]))

        expect(sizes).toEqual(
          new Map(members.map(({ name, value }) => [nameOf(name), sizeOf(JSON.parse(value))])),
        )
      }),
      { numRuns: 1000 },
    )
  })

  test('a name that is written twice, in whatever spelling, is a duplicate where it comes again', () => {
    const pieces = fc.tuple(objectText, fc.nat(), fc.nat(), fc.boolean())
    fc.assert(
      fc.property(pieces, ([{ members }, from, to, escaped]) => {
        fc.pre(members.length > 0)
        const names = members.map(({ name }) => nameOf(name))
        fc.pre(new Set(names).size === names.length)
        const first = from % members.length
        const again = first + 1 + (to % (members.length - first))
        const name = escaped ? spelledOut(names[first]!) : members[first]!.name
        const written = members.map((member) => `${member.name}:${member.value}`)
        const text = `{${written.toSpliced(again, 0, `${name}: 1`).join(',')}}`

        expect(scan(text)).toEqual({
          ok: false,
          problem: 'duplicate',
          at: encoder.encode(`{${written.slice(0, again).join(',')},`).length,
          name: names[first],
        })
      }),
      { numRuns: 1000 },
    )
  })

  test('a text that JSON.parse refuses passes only for what stands inside strings', () => {
    fc.assert(
      fc.property(mangled, (text) => {
        const scanned = scan(text)
        // What the scanner skips is taken out; everything else must be the grammar's.
        expect(!scanned.ok || isObjectText(text.replace(STRING, '""'))).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })

  test('an object that JSON.parse accepts is refused only for a duplicate or its depth', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          mangled,
          objectText.map(({ text }) => text),
        ),
        (text) => {
          const scanned = scan(text)
          const isForgiven = !scanned.ok && ['duplicate', 'too-deep'].includes(scanned.problem)
          expect(!isObjectText(text) || scanned.ok || isForgiven).toBe(true)
        },
      ),
      { numRuns: 5000 },
    )
  })

  test('bytes at random never make it fail in any other way than with a problem inside the text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const scanned = scanJsonObject(bytes)
        expect(scanned.ok || (scanned.at >= 0 && scanned.at <= bytes.length)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('decodeJson gives what JSON.parse gives', () => {
    fc.assert(
      fc.property(stringText, (text) => {
        expect(decodeJson(encoder.encode(text))).toBe(JSON.parse(text))
      }),
    )
  })
})

/** Of a list; undefined for every other value. */
function sizeOf(value: unknown): ListSize | undefined {
  if (!Array.isArray(value)) return undefined
  const numbers = value.filter((item) => typeof item === 'number').length
  return { items: value.length, numbers }
}

/** A string as the grammar of RFC 8259 §7 finds its end, whatever is in it. */
const STRING = /"(?:[^"\\]|\\[^])*"/g

/** Every character of a name as an escape. */
function spelledOut(name: string): string {
  const escapes = Array.from({ length: name.length }, (_, i) =>
    name.charCodeAt(i).toString(16).padStart(4, '0'),
  )
  return `"${escapes.map((hex) => `\\u${hex}`).join('')}"`
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

/** Objects with a few characters taken out, put in or exchanged, and short texts of structure only. */
const mangled: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      objectText,
      fc.array(
        fc.record({
          at: fc.nat(),
          remove: fc.constantFrom(0, 1, 1, 2),
          insert: fc.constantFrom(
            '',
            '',
            '{',
            '}',
            '[',
            ']',
            '"',
            ',',
            ':',
            '\\',
            '0',
            '-',
            'e',
            ' ',
            '\n',
            'x',
          ),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    )
    .map(([{ text }, edits]) => {
      const characters = Array.from(text)
      for (const { at, remove, insert } of edits)
        characters.splice(at % (characters.length + 1), remove, insert)
      return characters.join('')
    }),
  fc
    .array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        '"a"',
        ':',
        ',',
        '\\',
        ' ',
        '0',
        '1',
        '-',
        '.',
        'e',
        '+',
        'true',
        'null',
        'fals',
      ),
      { maxLength: 9 },
    )
    .map((pieces) => `{${pieces.join('')}`),
)

describe('what it finds', () => {
  test('spans are byte offsets, also behind characters of several bytes', () => {
    expect(scan('{"ü":"世界","b": 1 }')).toEqual({
      ok: true,
      members: new Map([
        ['ü', { start: 6, end: 14 }],
        ['b', { start: 20, end: 21 }],
      ]),
    })
  })

  test('only the top level counts: names inside values may come as often as they like', () => {
    expect(spansOf('{"a":{"model":1,"model":2},"b":[{"model":3}],"model":"x"}')).toEqual(
      new Map([
        ['a', '{"model":1,"model":2}'],
        ['b', '[{"model":3}]'],
        ['model', '"x"'],
      ]),
    )
  })

  test('an escaped name is the name that it stands for', () => {
    expect(spansOf('{"mod\\u0065l":"a"}')).toEqual(new Map([['model', '"a"']]))
  })

  test('names with backslashes, after one another: an engine that caches keys must not mix them up', () => {
    const names = ['\\', '\\u0079', 'y', '\\\\', 'model']
    const texts = ['"\\\\"', '"\\\\u0079"', '"\\u0079"', '"\\\\\\\\"', '"mod\\u0065l"']
    const found = texts.map((text) => spansOf(`{${text}:1}`))
    expect(found).toEqual(names.map((name) => new Map([[name, '1']])))
  })

  test.each(['__proto__', 'constructor', 'toString', ''])('%j is a name like any other', (name) => {
    expect(spansOf(`{${JSON.stringify(name)}:1}`)).toEqual(new Map([[name, '1']]))
  })
})

describe('ways to name two models at once', () => {
  test.each([
    ['twice the same', '{"model":"a","model":"b"}', 13],
    ['one of them escaped', '{"mod\\u0065l":"a","model":"b"}', 18],
    ['the second escaped', '{"model":"a","\\u006dodel":"b"}', 13],
    ['far apart', '{"model":"a","messages":[{"model":"c"}],"model":"b"}', 40],
  ])('%s is a duplicate', (_, text, at) => {
    expect(scan(text)).toEqual({ ok: false, problem: 'duplicate', at, name: 'model' })
  })
})

describe('what is not one JSON object', () => {
  test.each([
    '',
    ' ',
    '[]',
    '["a"]',
    '"model"',
    '1',
    'null',
    'garbage{"model":"a"}',
    '\ufeff{}',
    'x',
  ])('%j is not an object', (text) => {
    expect(scan(text)).toMatchObject({ ok: false, problem: 'not-an-object' })
  })

  test.each([
    ['{', 1],
    ['{"a"', 4],
    ['{"a":', 5],
    ['{"a":}', 5],
    ['{"a":1', 6],
    ['{"a":1,', 7],
    ['{"a":1,}', 7],
    ['{,}', 1],
    ['{a:1}', 1],
    ["{'a':1}", 1],
    ['{"a" 1}', 5],
    ['{"a":1 "b":2}', 7],
    ['{"model":"a"} trailing', 14],
    ['{"model":"a"}{}', 13],
    ['{"model":"a"}\0', 13],
    ['{"a":[1,]}', 8],
    ['{"a":[1 2]}', 8],
    ['{"a":[1}', 7],
    ['{"a":{"b"}}', 9],
    ['{"a":"b', 6],
    ['{"a":"b\\"}', 9],
    ['{"a":01}', 6],
    ['{"a":-}', 6],
    ['{"a":+1}', 5],
    ['{"a":.5}', 5],
    ['{"a":1.}', 7],
    ['{"a":1e}', 7],
    ['{"a":1e+-1}', 8],
    ['{"a":0x1}', 6],
    ['{"a":NaN}', 5],
    ['{"a":Infinity}', 5],
    ['{"a":tru}', 5],
    ['{"a":True}', 5],
    ['{"a":nulll}', 9],
    ['{"a":1}//', 7],
    ['{/**/"a":1}', 1],
    ['{"a":1\u00a0}', 6],
  ])('%j is a fault of syntax at byte %i', (text, at) => {
    expect(scan(text)).toEqual({ ok: false, problem: 'syntax', at })
  })
})

describe('string contents are skipped, not checked', () => {
  // llama-server's own parser reads them; what is read here (names, model, stream) is decoded strictly.
  test.each([
    ['a raw line break', [0x0a]],
    ['a raw NUL', [0x00]],
    ['an escape that does not exist', [0x5c, 0x78]],
    ['bytes that are not UTF-8', [0xff, 0xfe]],
  ])('%s passes in a value, and makes its value undecodable', (_, content) => {
    const bytes = new Uint8Array([...encoder.encode('{"a":"'), ...content, ...encoder.encode('"}')])
    const span = { start: 5, end: bytes.length - 1 }

    expect(scanJsonObject(bytes)).toEqual({ ok: true, members: new Map([['a', span]]) })
    expect(decodeJson(bytes.subarray(span.start, span.end))).toBe(undefined)
  })

  test.each([
    ['a raw line break', [0x0a]],
    ['an escape that does not exist', [0x5c, 0x78]],
    ['bytes that are not UTF-8', [0xff, 0xfe]],
  ])('%s in a name is a fault of syntax', (_, content) => {
    const bytes = new Uint8Array([0x7b, 0x22, ...content, ...encoder.encode('":1}')])
    expect(scanJsonObject(bytes)).toEqual({ ok: false, problem: 'syntax', at: 1 })
  })
})

const arrays = (levels: number): string => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`
const objects = (levels: number): string =>
  `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`

describe('depth', () => {
  test('128 levels pass, the object itself counted', () => {
    expect([scan(arrays(127)).ok, scan(objects(128)).ok]).toEqual([true, true])
  })

  test.each([
    ['arrays', arrays(128), 5 + 127],
    ['objects', objects(129), 5 * 128],
    ['a scalar in arrays', `{"a":${'['.repeat(127)}1${']'.repeat(127)}}`, 5 + 127],
  ])('one level more is too deep: %s', (_, text, at) => {
    expect(scan(text)).toEqual({ ok: false, problem: 'too-deep', at })
  })

  test('a million open brackets are refused at the limit, not by the stack', () => {
    expect(scan(`{"a":${'['.repeat(1_000_000)}`)).toEqual({
      ok: false,
      problem: 'too-deep',
      at: 5 + 127,
    })
  })
})

const fields = (count: number): string =>
  Array.from({ length: count }, (_, i) => `"${1000 + i}":1`).join(',')

describe('how many members, and how long their names', () => {
  test('a thousand members pass', () => {
    expect(spansOf(`{${fields(1000)}}`).size).toBe(1000)
  })

  test('at one more the scan stops, whatever follows', () => {
    expect(scan(`{${fields(1001)} not JSON`)).toEqual({
      ok: false,
      problem: 'too-many-members',
      at: 1 + 9 * 1000,
    })
  })

  test('objects within values may have as many as they like', () => {
    expect(scan(`{"a":{${fields(1001)}},"b":[{${fields(1001)}}]}`).ok).toBe(true)
  })

  test('a name of 1024 bytes with its quotes is the longest', () => {
    expect([
      scan(`{"a":1,"${'x'.repeat(1022)}":1}`).ok,
      scan(`{"a":1,"${'x'.repeat(1023)}":1}`),
      scan(`{"a":{"${'x'.repeat(1023)}":1}}`).ok,
    ]).toEqual([true, { ok: false, problem: 'name-too-long', at: 7 }, true])
  })
})

describe('time is linear in the length, counted in bytes looked at', () => {
  const SIZE = 100_000
  test.each([
    ['a string of backslashes', `{"a":"${'\\'.repeat(SIZE)}"}`],
    ['a string of escaped quotes', `{"a":"${'\\"'.repeat(SIZE / 2)}"}`],
    ['escaped quotes behind many backslashes', `{"a":"${'\\\\\\\\\\\\\\"'.repeat(SIZE / 8)}"}`],
    ['a string that never ends', `{"a":"${'\\"'.repeat(SIZE / 2)}`],
    ['many short strings', `{"a":[${'"",'.repeat(SIZE / 3)}1]}`],
    ['many names', `{"a":{${Array.from({ length: SIZE / 10 }, (_, i) => `"${i}":1`).join(',')}}}`],
    ['many empty objects', `{"a":[${'{},'.repeat(SIZE / 3)}1]}`],
    ['white space', `{${' '.repeat(SIZE)}}`],
    ['a long number', `{"a":${'1'.repeat(SIZE)}}`],
    ['literals', `{"a":[${'false,'.repeat(SIZE / 6)}null]}`],
  ])('%s', (_, text) => {
    const counted = counting(encoder.encode(text))

    scanJsonObject(counted.bytes)

    expect(counted.looks()).toBeLessThan(8 * text.length)
  })
})

/** The bytes, with a count of how many of them were looked at. */
function counting(bytes: Uint8Array): { bytes: Uint8Array; looks(): number } {
  let looks = 0
  const counted = new Proxy(bytes, {
    get(target, name) {
      if (typeof name === 'string' && /^\d+$/.test(name)) {
        looks++
        return target[Number(name)]
      }
      if (name === 'indexOf')
        return (byte: number, from: number) => {
          const found = target.indexOf(byte, from)
          looks += (found < 0 ? target.length : found + 1) - from
          return found
        }
      if (name === 'subarray') return target.subarray.bind(target)
      return Reflect.get(target, name, target)
    },
  })
  return { bytes: counted, looks: () => looks }
}
